/*
 * recipes_test.c: the recipes of docs/ci.md, taken out of the page and run on a small project of their kind, with
 * goro-cc and goro-race found in PATH as a user has them.
 */
#include <stdio.h>

#include "tool.h"

/* In shell lines: recipe NAME prints that block of the page. */
#define RECIPE "recipe() { sed -n \"/^<!-- recipe: $1 -->$/,/^\\`\\`\\`$/p\" $S/docs/ci.md | sed '1,2d;$d'; }; "

static void project(void)
{
	char *path;

	enter();
	cr_assert(asprintf(&path, "%s/bin:%s", GORO_BUILD_DIR, getenv("PATH")) > 0);
	setenv("PATH", path, 1);
	free(path);
	/* A test that is right, and one that races in every schedule. */
	scratch_write("good.c", "#include <goro.h>\nstatic void sends(chan(int) c) { chan_send(c, 7); }\n"
				"int main(void)\n{\n\tchan(int) c = chan_make(int);\n\tgo(sends, c);\n"
				"\treturn chan_recv(c) == 7 ? 0 : 1;\n}\n");
	scratch_write("prog.c", "#include <goro.h>\nstatic int hits;\n"
				"static void count(goro_waitgroup *wg)\n{\n\thits++;\n\tgoro_waitgroup_done(wg);\n}\n"
				"int main(void)\n{\n\tgoro_waitgroup wg = {0};\n\tgoro_waitgroup_add(&wg, 2);\n"
				"\tgo(count, &wg);\n\tgo(count, &wg);\n\tgoro_waitgroup_wait(&wg);\n\treturn 0;\n}\n");
	scratch_write("Makefile", "all: prog good\nprog: prog.o\n\t$(CC) $(LDFLAGS) $^ -o $@\ngood: good.o\n"
				  "\t$(CC) $(LDFLAGS) $^ -o $@\ntest: all\n\t./good\n\t./prog\n");
}

TestSuite(recipes, .init = project, .timeout = 240);

static void found_the_race(const char *junit)
{
	cr_assert(sh_is(0, "grep -c 'data race on &#39;hits&#39;: ' %s", junit));
	cr_assert(sh_is(0, JUNIT_HOLDS "%s", junit));
}

/* The steps of a workflow that are commands, as the runner does them: each in bash -e. */
#define STEPS                                                                                                         \
	"/usr/bin/python3 -c 'import sys, yaml, subprocess\n"                                                         \
	"doc = yaml.safe_load(sys.stdin)\n"                                                                           \
	"job = (doc.get(\"jobs\") or doc)[\"races\"]\n"                                                               \
	"steps = job.get(\"steps\") or [{\"run\": s} for s in job[\"script\"]]\n"                                     \
	"for s in steps:\n"                                                                                           \
	"  if \"run\" in s and s.get(\"name\") != \"Install goro\":\n"                                                \
	"    print(\"%%\", s[\"run\"].strip(), \"->\", subprocess.call([\"bash\", \"-e\", \"-c\", s[\"run\"]]), flush=True)' "

Test(recipes, github_fails_on_the_race_and_passes_with_it_in_the_baseline)
{
	cr_assert(sh_is(0, RECIPE "touch race.baseline; recipe github.yml | " STEPS));
	cr_assert(out_has("LDFLAGS=-race -> 0\n"));
	cr_assert(out_has("-- make test -> 66\n"));
	cr_assert(out_has("-- ./prog -> 66\n"));
	cr_assert(out_has("\n::error file=prog.c,line=5,col="));
	cr_assert(sh_is(0, "test -s race.html && grep -q goro/data-race race.sarif && test -d explored"));
	cr_assert(sh_is(0, RECIPE "rm -r explored; goro-race run --baseline race.baseline --update-baseline -- make test && "
			   "recipe github.yml | " STEPS));
	cr_assert(out_has("-- make test -> 0\n"));
	cr_assert(out_has("-- ./prog -> 0\n"));
}

Test(recipes, gitlab)
{
	cr_assert(sh_is(0, RECIPE "touch race.baseline; recipe gitlab.yml | " STEPS));
	cr_assert(out_has("LDFLAGS=-race -> 0\n"));
	cr_assert(out_has("-- make test -> 66\n"));
	found_the_race("race.xml");
}

Test(recipes, cmake_toolchain_preset_and_ctest)
{
	scratch_write("CMakeLists.txt", "cmake_minimum_required(VERSION 3.21)\nproject(demo C)\nenable_testing()\n"
					"foreach(t good prog)\n  add_executable(${t} ${t}.c)\n  add_test(NAME ${t} COMMAND ${t})\n"
					"endforeach()\n");
	cr_assert(sh_is(66, RECIPE "for f in goro-race.cmake CMakePresets.json cmake.sh; do recipe $f > $f; done; sh -e cmake.sh"));
	cr_assert(out_has("100% tests passed"), "the tests keep their own status");
	found_the_race("race.xml");
	cr_assert(sh_is(8, "ctest --preset race"), "and without goro-race the race fails one");
	cr_assert(out_has("50% tests passed, 1 tests failed out of 2"));
}

Test(recipes, meson_native_file)
{
	scratch_write("meson.build", "project('demo', 'c')\nforeach t : ['good', 'prog']\n"
				     "  test(t, executable(t, t + '.c'))\nendforeach\n");
	cr_assert(sh_is(66, RECIPE "for f in goro-race.ini meson.sh; do recipe $f > $f; done; sh -e meson.sh"));
	found_the_race("race.xml");
}

Test(recipes, autotools)
{
	scratch_write("configure.ac", "AC_INIT([demo], [1])\nAM_INIT_AUTOMAKE([foreign])\nAC_PROG_CC\nAC_PROG_CXX\n"
				      "AC_CONFIG_FILES([Makefile])\nAC_OUTPUT\n");
	scratch_write("Makefile.am", "check_PROGRAMS = good prog\nTESTS = $(check_PROGRAMS)\n");
	cr_assert(sh_is(66, RECIPE "rm Makefile; autoreconf -i 2>/dev/null; recipe autotools.sh > a.sh; sh -e a.sh"));
	cr_assert(out_has("# PASS:  2"));
	found_the_race("race.xml");
}

Test(recipes, plain_make)
{
	cr_assert(sh_is(66, "make CC=goro-cc CXX=goro-c++ CFLAGS='-race -g' CXXFLAGS='-race -g' LDFLAGS=-race && goro-race run -- make test"));
	cr_assert(err_has("Location is global 'hits'"));
}

/* Two hosts: two sshd on the loopback, each with a port of its own, for this user alone. */
static const char two_hosts[] =
    "set -e; umask 077; ssh-keygen -q -t ed25519 -N '' -f key; cp key.pub authorized; me=$(id -un); : > hosts; "
    "for n in 1 2; do ssh-keygen -q -t ed25519 -N '' -f host$n; port=$(/usr/bin/python3 -c "
    "'import socket; s = socket.socket(); s.bind((\"127.0.0.1\", 0)); print(s.getsockname()[1])'); "
    "printf '%s\\n' \"Port $port\" 'ListenAddress 127.0.0.1' \"HostKey $PWD/host$n\" \"AuthorizedKeysFile $PWD/authorized\" "
    "'StrictModes no' 'UsePAM no' 'PermitRootLogin yes' \"PidFile $PWD/pid$n\" \"SetEnv PATH=$PATH\" "
    "\"ForceCommand echo >> $PWD/asked$n; exec sh -c \\\"\\$SSH_ORIGINAL_COMMAND\\\"\" > conf$n; "
    "[ \"$(id -u)\" != 0 ] || mkdir -p /run/sshd; $(command -v sshd || echo /usr/sbin/sshd) -f conf$n -E log$n; "
    "echo \"ssh -p $port -i $PWD/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR $me@127.0.0.1\" "
    ">> hosts; done; "
    /* it has forked once its socket listens */
    "for n in 1 2; do while [ ! -s pid$n ]; do sleep 0.01; done; done";

Test(recipes, gnu_parallel_over_ssh_joins_what_two_hosts_find)
{
	cr_assert(sh_is(0, "make -s CC=goro-cc CFLAGS='-race -g' LDFLAGS=-race prog && %s", two_hosts));
	cr_assert(sh_is(66, RECIPE "recipe parallel.sh | sed \"s/-n 1000/-n 24/; s,/tmp/races,$PWD/away,\" > p.sh; export PARALLEL_HOME=$PWD; "
			   "sh -e p.sh; r=$?; kill $(cat pid1 pid2); exit $r"));
	cr_assert(out_has("goro-race: 24 runs, 1 findings in all"));
	cr_assert(out_has("Seen in 24 of 24 runs; seed 1 is the smallest."));
	cr_assert(sh_is(0, "test -s asked1 && test -s asked2"), "both hosts worked");
}

Test(recipes, slurm_tasks_cover_all_seeds)
{
	cr_assert(sh_is(0, RECIPE "make -s CC=goro-cc CFLAGS='-race -g' LDFLAGS=-race prog; "
			   "recipe slurm.sh | sed 's/-n 1000/-n 20/' > s.sh; for i in 1 2 3 4; do "
			   "SLURM_ARRAY_TASK_ID=$i SLURM_ARRAY_TASK_COUNT=4 sh s.sh; [ $? = 66 ] || exit 1; done; "
			   "goro-race merge -o all shard-*"));
	cr_assert(out_has("goro-race: 20 runs, 1 findings in all"));
}
