"""goro's goroutines in gdb, live and in core files.

    source /usr/local/share/goro/gdb/goro-gdb.py

    info goroutines            every goroutine: number, name, state, where it is
    goroutine N bt [ARGS]      its backtrace (ARGS as bt takes them)
    goroutine all bt           of each

Only reads memory: no register is changed and no function called, so that it works on a core file. A goroutine
that waits has its registers on its own stack (runtime/os/switch_amd64.h); its frames are shown by an unwinder
that, while a command runs, makes them the callers of the selected thread's innermost frame, which is left out.
What it knows of goro's data (struct G, where stacks lie) comes from the program's debug information.
"""

import gdb
from gdb.unwinder import Unwinder

COLOUR = 128  # runtime/sched/stack.c, g_at
PC_AT, RBP_AT = 16, 8  # of a saved context


def symbol(name):
    """The value of a static of goro's, wherever gdb finds it."""
    found = gdb.lookup_static_symbol(name) or gdb.lookup_global_symbol(name)
    if found is None:
        raise gdb.GdbError("goro: no '%s': not a goro program, or one without debug information" % name)
    return found.value()


def names_of(enum):
    """{value: name} of an enum type."""
    return {f.enumval: f.name for f in gdb.lookup_type(enum).fields()}


WAITS = {
    "WAIT_CHAN_RECV": "chan receive",
    "WAIT_CHAN_SEND": "chan send",
    "WAIT_CHAN_RECV_NIL": "chan receive (nil chan)",
    "WAIT_CHAN_SEND_NIL": "chan send (nil chan)",
    "WAIT_SELECT": "select",
    "WAIT_SELECT_NONE": "select (no cases)",
    "WAIT_SLEEP": "sleep",
    "WAIT_SEMACQUIRE": "semacquire",
    "WAIT_MUTEX": "sync.Mutex.Lock",
    "WAIT_RWMUTEX_R": "sync.RWMutex.RLock",
    "WAIT_RWMUTEX_W": "sync.RWMutex.Lock",
    "WAIT_WAITGROUP": "sync.WaitGroup.Wait",
    "WAIT_COND": "sync.Cond.Wait",
    "WAIT_ONCE": "sync.Once.Do",
    "WAIT_IO": "IO wait",
}


class Goroutine:
    def __init__(self, g):
        self.g = g
        self.id = int(g["id"])
        self.state = names_of("enum GState").get(int(g["state"]), "?")
        self.name = g["name"].string(errors="replace") if g["named"] else ""

    def status(self):
        if self.state == "G_WAITING":
            why = names_of("enum WaitReason").get(int(self.g["wait_reason"]), "")
            return WAITS.get(why, "waiting")
        return {"G_RUNNABLE": "runnable", "G_RUNNING": "running", "G_SYSCALL": "syscall"}.get(self.state, "dead")

    def runs(self):
        return self.state in ("G_RUNNING", "G_SYSCALL")

    def thread(self):
        """The gdb thread that runs it, or None."""
        m = self.g["m"]
        if not self.runs() or int(m) == 0:
            return None
        tid = int(m["tid"])
        for t in gdb.selected_inferior().threads():
            if t.ptid[1] == tid:
                return t
        return None

    def saved(self):
        """(pc, rbp, rsp) of one that does not run."""
        sp = int(self.g["sp"])
        word = gdb.lookup_type("unsigned long").pointer()
        pc = int(gdb.Value(sp + PC_AT).cast(word).dereference())
        rbp = int(gdb.Value(sp + RBP_AT).cast(word).dereference())
        return pc, rbp, sp + PC_AT + 8

    def where(self):
        pc = self.thread_pc() if self.runs() else self.saved()[0]
        if pc is None:
            return ""
        line = gdb.find_pc_line(pc)
        block = gdb.block_for_pc(pc)
        while block is not None and block.function is None:
            block = block.superblock
        func = block.function.print_name if block is not None else "0x%x" % pc
        return "%s () at %s:%d" % (func, line.symtab.filename, line.line) if line.symtab else func

    def thread_pc(self):
        thread = self.thread()
        if thread is None:
            return None
        old = gdb.selected_thread()
        thread.switch()
        pc = gdb.newest_frame().pc()
        old.switch()
        return pc


def goroutines():
    """All that live, by number."""
    regions, count = symbol("regions"), int(symbol("nregions"))
    g_type = gdb.lookup_type("struct G")
    room = (g_type.sizeof + 63) & ~63
    found = []
    for r in range(count):
        region = regions[r]
        base, log = int(region["base"]), int(region["class"])
        for i in range(int(region["carved"])):
            colour = i & (3 if log <= 15 else 15)
            at = base + ((i + 1) << log) - room - colour * COLOUR
            g = gdb.Value(at).cast(g_type.pointer()).dereference()
            if int(g["state"]) != 0:
                found.append(Goroutine(g))
    return sorted(found, key=lambda g: g.id)


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class SavedContext(Unwinder):
    """While `goroutine` is set: the caller of the innermost frame is where that goroutine stopped."""

    def __init__(self):
        super().__init__("goro")
        self.goroutine = None

    def __call__(self, pending):
        if self.goroutine is None or pending.level() != 0:
            return None
        pc, rbp, rsp = self.goroutine.saved()
        info = pending.create_unwind_info(FrameId(pending.read_register("rsp"), pending.read_register("rip")))
        long_type = gdb.lookup_type("unsigned long")
        for name, value in (("rip", pc), ("rbp", rbp), ("rsp", rsp)):
            info.add_saved_register(name, gdb.Value(value).cast(long_type))
        return info


UNWINDER = SavedContext()
gdb.unwinder.register_unwinder(None, UNWINDER, replace=True)


def backtrace(g, args):
    """Print g's backtrace, frames numbered from 0."""
    if g.runs():
        thread, old = g.thread(), gdb.selected_thread()
        if thread is None:
            raise gdb.GdbError("goro: goroutine %d runs on a thread that gdb does not see" % g.id)
        thread.switch()
        try:
            gdb.execute("bt " + args)
        finally:
            old.switch()
        return
    UNWINDER.goroutine = g
    gdb.invalidate_cached_frames()
    try:
        text = gdb.execute("bt " + args, to_string=True)
    finally:
        UNWINDER.goroutine = None
        gdb.invalidate_cached_frames()
    for line in text.splitlines():
        number, rest = line.split(None, 1) if line.startswith("#") else (None, line)
        if number is None:
            print(line)
        elif number != "#0":
            print("#%-2d %s" % (int(number[1:]) - 1, rest))


class InfoGoroutines(gdb.Command):
    """List the goroutines: number, name, state, where each is. A * marks those that run on a thread."""

    def __init__(self):
        super().__init__("info goroutines", gdb.COMMAND_STATUS)

    def invoke(self, args, from_tty):
        for g in goroutines():
            name = ' "%s"' % g.name if g.name else ""
            print("%s %d%s [%s] %s" % ("*" if g.runs() else " ", g.id, name, g.status(), g.where()))


class GoroutineCommand(gdb.Command):
    """goroutine N bt [ARGS], goroutine all bt: the backtrace of a goroutine."""

    def __init__(self):
        super().__init__("goroutine", gdb.COMMAND_STACK)

    def invoke(self, args, from_tty):
        words = args.split(None, 2)
        if len(words) < 2 or words[1] not in ("bt", "backtrace", "where"):
            raise gdb.GdbError("usage: goroutine N bt [ARGS], or goroutine all bt")
        rest = words[2] if len(words) > 2 else ""
        if words[0] == "all":
            for g in goroutines():
                print("goroutine %d [%s]:" % (g.id, g.status()))
                backtrace(g, rest)
                print()
            return
        if not words[0].isdigit():
            raise gdb.GdbError("goro: '%s' is no goroutine number" % words[0])
        for g in goroutines():
            if g.id == int(words[0]):
                backtrace(g, rest)
                return
        raise gdb.GdbError("goro: no goroutine %s" % words[0])


InfoGoroutines()
GoroutineCommand()
