#!/bin/sh
# check-exports.sh BUILD: which names leave an archive.
#
#   libgoro.a        goro_* and __wrap_main, and those libc functions that may block or end the process (below), weak
#   libgoro-race.a   besides __tsan_*, __sanitizer_*, Annotate*, operator new and delete, the guards of static locals, and libc functions
#                    that race/intercept takes the place of (tools/real.syms lists them), weak
#
# A plain archive has not a byte of the detector: no __tsan_*, no race_*, no hook_* name, local or not.
build=${1:-build}
cd "$(dirname "$0")/.." || exit 1
blocking='read write pread pwrite pread64 pwrite64 readv writev preadv pwritev preadv64 pwritev64
	preadv2 pwritev2 preadv64v2 pwritev64v2 open openat open64 openat64 creat
	poll ppoll select pselect epoll_wait epoll_pwait nanosleep clock_nanosleep sleep usleep accept accept4
	connect recv recvfrom recvmsg recvmmsg send sendto sendmsg sendmmsg fsync fdatasync flock fcntl
	waitpid wait wait3 wait4 waitid system pthread_exit getaddrinfo getnameinfo gethostbyname pause sigwait sigwaitinfo
	sigtimedwait sigsuspend sem_wait sem_timedwait pthread_sigmask sigprocmask msgrcv msgsnd tcdrain close shutdown syncfs
	__read_chk __pread_chk __pread64_chk __recv_chk __recvfrom_chk __poll_chk __ppoll_chk
	__open_2 __open64_2 __openat_2 __openat64_2 lockf lockf64 ioctl splice vmsplice sendfile copy_file_range
	epoll_ctl eventfd_read eventfd_write _exit _Exit
	pthread_mutex_lock pthread_mutex_timedlock pthread_mutex_clocklock pthread_rwlock_rdlock
	pthread_rwlock_wrlock pthread_rwlock_timedrdlock pthread_rwlock_timedwrlock pthread_cond_wait
	pthread_cond_timedwait pthread_cond_clockwait pthread_barrier_wait pthread_join
	pthread_timedjoin_np mtx_lock mtx_timedlock cnd_wait cnd_timedwait thrd_join thrd_sleep __getdelim gethostbyname_r
	fcntl64 pclose fread fwrite fgets getc fgetc getchar putc fputc putchar fputs puts fflush fclose
	getdelim getline vfprintf vprintf fprintf printf __isoc99_vfscanf __isoc99_vscanf __isoc99_fscanf
	__isoc99_scanf __vfprintf_chk __vprintf_chk __fprintf_chk __printf_chk'
replaced=$([ -f tools/real.syms ] && awk '{print $1}' tools/real.syms)
status=0

# Global, not hidden, defined: name and binding.
exported() {
	readelf -sW "$1" | awk '($5 == "GLOBAL" || $5 == "WEAK") && ($6 == "DEFAULT" || $6 == "PROTECTED") &&
		$7 != "UND" {print $8, $5}' | sort -u
}

check() {
	archive=$1 pattern=$2 names=$3
	if [ ! -f "$archive" ]; then
		echo "check-exports: no $archive"
		status=1
		return
	fi
	bad=$(exported "$archive" | awk -v pattern="$pattern" -v names="$names" '
		BEGIN { n = split(names, list, /[ \t\n]+/); for (i = 1; i <= n; i++) ok[list[i]] = 1 }
		$1 ~ pattern { next }
		!($1 in ok) { print "  " $1; next }
		$2 != "WEAK" { print "  " $1 " (not weak: a program may define it itself)" }')
	if [ -n "$bad" ]; then
		echo "check-exports: $archive lets out"
		echo "$bad"
		status=1
	fi
}

check "$build/lib/libgoro.a" '^(goro_|__wrap_main$)' "$blocking"
check "$build/lib/libgoro-race.a" '^(goro_|__wrap_main$|__tsan_|__sanitizer_|(WTF)?Annotate|RunningOnValgrind$|ValgrindSlowdown$|_Z(nw|na|dl|da)|__cxa_guard_)' \
	"$blocking $replaced"

inside=$(nm "$build/lib/libgoro.a" 2>/dev/null | awk '$NF ~ /^(__tsan_|race_|hook_|report_emit|goro_real_)/ {print "  " $NF}' | sort -u)
if [ -n "$inside" ]; then
	echo "check-exports: $build/lib/libgoro.a has in it"
	echo "$inside"
	status=1
fi
[ $status = 0 ] && echo "check-exports: ok"
exit $status
