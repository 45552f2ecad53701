// SPDX-License-Identifier: MIT
/*
 * PID 1 of the test guest.
 *
 * Carries out the plan that the host left in /mv/plan (written by mvharness/plan.py) and says on its own serial port
 * how that went. Nothing is taken for granted: the host calls a run good only if it reads "success" here.
 *
 * Channels, by the word mv_channels of the kernel's command line:
 *   (none)   a PC: ttyS0 console, ttyS1 verdict (lines), ttyS2 what suites print, port 0xe9 files (frames.py), port 0xf4
 *            the end
 *   uml      User Mode Linux: ttyS1, ttyS2 and ttyS3 instead of the port
 *   virtio   elsewhere: virtio-serial ports named verdict, output and files
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#ifdef __x86_64__
#include <sys/io.h>
#endif

#define PLAN		"/mv/plan"
#define OUT_DIR		"/mv/out"
#define PORT_FILES	0xe9
#define PORT_EXIT	0xf4
#define MAX_ARGS	1024
#define UNLOAD_TRIES	20	/* of 100 ms: deferred work may hold the module for a moment */

static int verdict_fd = -1;
static int output_fd = -1;
static int files_fd = -1;	/* -1: the port */
#ifdef __x86_64__
static bool have_ports;
#endif
static int failures;

/* The plan, as read, and the part of it that was collected so far. */
static char *plan;
static size_t plan_size;
static char *args[MAX_ARGS + 1];
static int nr_args;
static const char *module_name;

/* One line for the host, and the only thing it believes. */
static void tell(const char *format, ...)
{
	char line[512];
	va_list list;
	int len;

	va_start(list, format);
	len = vsnprintf(line, sizeof(line) - 1, format, list);
	va_end(list);
	if (len > (int)sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	if (write(verdict_fd, line, len) != len)
		failures++;
	tcdrain(verdict_fd);
}

static void fail(const char *what, const char *subject, int error)
{
	failures++;
	tell("error %s %s: %s", what, subject, strerror(error));
}

/* Port 0xf4 ends QEMU with a status that a reset cannot produce. */
static void power_off(int code)
{
	sync();
	tcdrain(verdict_fd);
#ifdef __x86_64__
	if (have_ports)
		outb(code, PORT_EXIT);
#endif
	(void)code;
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static void try_mount(const char *type, const char *where, unsigned long flags, const char *options)
{
	mkdir(where, 0755);
	/* The source is named like the type: a file of that name in / makes mount look for loop devices. */
	if (mount(type, where, type, flags, options) && errno != EBUSY)
		fail("mount", where, errno);
}

/*
 * The root becomes a mount like any other, on top of itself: the kernel lets nobody pivot_root() away from the first
 * one, and makes namespaces of users for no process whose root is another than the topmost.
 */
static void settle_root(void)
{
	if (mount("/", "/mv/root", NULL, MS_BIND, NULL) || chdir("/mv/root") ||
	    mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		fail("settle", "/", errno);
}

static void mount_filesystems(void)
{
	try_mount("proc", "/proc", 0, NULL);
	try_mount("sysfs", "/sys", 0, NULL);
	try_mount("devtmpfs", "/dev", 0, NULL);
	try_mount("devpts", "/dev/pts", 0, "ptmxmode=0666,mode=0620");
	try_mount("tmpfs", "/dev/shm", 0, NULL);
	/* No tmpfs over /tmp: the initramfs is one, and suites' programs may live there. */
	chmod("/tmp", 01777);
	try_mount("debugfs", "/sys/kernel/debug", 0, NULL);
	try_mount("tracefs", "/sys/kernel/tracing", 0, NULL);
	symlink("/proc/self/fd", "/dev/fd");
	symlink("/proc/self/fd/0", "/dev/stdin");
	symlink("/proc/self/fd/1", "/dev/stdout");
	symlink("/proc/self/fd/2", "/dev/stderr");
}

static int open_raw_port(const char *path)
{
	struct termios mode;
	int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0 && tcgetattr(fd, &mode) == 0) {
		cfmakeraw(&mode);
		cfsetspeed(&mode, B115200);
		tcsetattr(fd, TCSANOW, &mode);
	}
	return fd;
}

/* What a kernel complains of before this line (splat.py knows it) is its own affair. */
static void mark_log(void)
{
	static const char mark[] = "<1>mockvisor guest: init is up\n";
	int fd;
	pid_t pid;

	/* User Mode Linux under lockdep: its complaints, one of a kind, come with the first child */
	pid = fork();
	if (pid == 0) {
		execl("/bin/busybox", "busybox", "true", NULL);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, mark, sizeof(mark) - 1) < 0)
		tell("no kernel log: %s", strerror(errno));
	close(fd);
}

static int open_stream(const char *wanted, int flags);

static void open_channels(void)
{
	const char *channels = getenv("mv_channels");

	if (channels && !strcmp(channels, "virtio")) {
		verdict_fd = open_stream("verdict", O_WRONLY);
		output_fd = open_stream("output", O_WRONLY);
		files_fd = open_stream("files", O_WRONLY);
	} else {
		verdict_fd = open_raw_port("/dev/ttyS1");
		output_fd = open_raw_port("/dev/ttyS2");
		if (channels && !strcmp(channels, "uml"))
			files_fd = open_raw_port("/dev/ttyS3");
#ifdef __x86_64__
		else
			have_ports = iopl(3) == 0;
#endif
	}
	tell("up");
	mark_log();
}

static void read_plan(void)
{
	int fd = open(PLAN, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || !(plan = malloc(st.st_size + 1)) ||
	    read(fd, plan, st.st_size) != st.st_size) {
		tell("error read %s: %s", PLAN, strerror(errno));
		power_off(1);
	}
	plan[st.st_size] = 0;
	plan_size = st.st_size;
	close(fd);
}

/* The next (keyword, value) pair, or false at the end. */
static bool plan_next(size_t *at, const char **keyword, const char **value)
{
	if (*at >= plan_size)
		return false;
	*keyword = plan + *at;
	*at += strlen(*keyword) + 1;
	*value = plan + *at;
	*at += strlen(*value) + 1;
	return true;
}

static int load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error = 0;

	if (fd < 0)
		return errno;
	if (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)
		error = errno;
	close(fd);
	return error;
}

/* Every "load" row: what the kernel needs before the module under test. */
static void load_helpers(void)
{
	const char *keyword, *value;
	size_t at = 0;
	int error;

	while (plan_next(&at, &keyword, &value))
		if (!strcmp(keyword, "load") && (error = load(value)))
			fail("load", value, error);
}

/*
 * A debugger needs to know where the module is. The host stops this machine when it reads the last line, and the wait
 * gives it the time to; a stopped machine's time does not pass.
 */
static void tell_sections(void)
{
	static const char *const names[] = { ".text", ".rodata", ".data", ".bss" };
	char path[256], address[64];
	unsigned int i;
	ssize_t len;
	int fd;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "/sys/module/%s/sections/%s", module_name, names[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		len = read(fd, address, sizeof(address) - 1);
		close(fd);
		if (len <= 0)
			continue;
		address[len] = 0;
		address[strcspn(address, "\n")] = 0;
		tell("section %s %s", names[i], address);
	}
	tell("sections end");
	sleep(3);
}

static void load_module(void)
{
	const char *keyword, *value, *path = NULL;
	bool debugger = false;
	size_t at = 0;
	int error;

	while (plan_next(&at, &keyword, &value)) {
		if (!strcmp(keyword, "module"))
			path = value;
		if (!strcmp(keyword, "debugger"))
			debugger = true;
		if (!strcmp(keyword, "module-name"))
			module_name = value;
		if (!strcmp(keyword, "loglevel"))
			klogctl(8 /* SYSLOG_ACTION_CONSOLE_LEVEL */, NULL, atoi(value));
	}
	if (!path)
		return;
	error = load(path);
	if (error) {
		module_name = NULL;
		fail("insmod", path, error);
		return;
	}
	tell("loaded %s", module_name);
	if (debugger)
		tell_sections();
}

static void send_bytes(const void *data, size_t size)
{
	ssize_t part;

#ifdef __x86_64__
	if (have_ports) {
		outsb(PORT_FILES, data, size);
		return;
	}
#endif
	for (; size && (part = write(files_fd, data, size)) > 0; size -= part)
		data = (const char *)data + part;
	tcdrain(files_fd);
}

static void send_file(const char *path, const char *name)
{
	char head[300];
	struct stat st;
	char *data;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || !(data = malloc(st.st_size + 1))) {
		if (fd >= 0)
			close(fd);
		return;
	}
	if (read(fd, data, st.st_size) == st.st_size) {
		send_bytes(head, snprintf(head, sizeof(head), "MVFILE %lld %s\n", (long long)st.st_size, name));
		send_bytes(data, st.st_size);
		send_bytes("\n", 1);
	} else {
		fail("read", path, errno);
	}
	free(data);
	close(fd);
}

/* Everything in OUT_DIR goes to the host and is removed, so that a later crash cannot lose it. */
static void send_results(void)
{
	char path[512];
	struct dirent *entry;
	DIR *dir = opendir(OUT_DIR);

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), OUT_DIR "/%s", entry->d_name);
		send_file(path, entry->d_name);
		unlink(path);
	}
	closedir(dir);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Waits for a child, reaping orphans meanwhile; kills its group after `limit` seconds (0: never). */
static bool wait_for(pid_t pid, int limit, int *status)
{
	double end = now() + limit;
	bool late = false;
	sigset_t set;
	pid_t got;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (;;) {
		struct timespec tick = { .tv_nsec = 200 * 1000 * 1000 };

		while ((got = waitpid(-1, status, WNOHANG)) > 0)
			if (got == pid)
				return late;
		if (limit && !late && now() > end) {
			late = true;
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
		}
		sigtimedwait(&set, NULL, &tick);
	}
}

static void unblock_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

static void run_suite(const char *name, int limit, const char *cwd, size_t variables)
{
	const char *keyword, *value;
	double start = now();
	int status = 0;
	bool late;
	pid_t pid;

	args[nr_args] = NULL;
	tell("suite %s begin", name);
	dprintf(output_fd, "MVSUITE %s\n", name);
	tcdrain(output_fd);
	pid = fork();
	if (pid == 0) {
		unblock_signals();
		setsid();
		dup2(open("/dev/null", O_RDONLY), 0);
		dup2(output_fd, 1);
		dup2(output_fd, 2);
		if (cwd && chdir(cwd))
			dprintf(2, "chdir %s: %s\n", cwd, strerror(errno));
		/* from the suite's own row on */
		while (plan_next(&variables, &keyword, &value) && strcmp(keyword, "run"))
			if (!strcmp(keyword, "env"))
				putenv((char *)value);
		execv(args[0], args);
		dprintf(2, "exec %s: %s\n", args[0], strerror(errno));
		_exit(127);
	}
	if (pid < 0) {
		fail("fork", name, errno);
		return;
	}
	late = wait_for(pid, limit, &status);
	/* Whatever it left running would keep the module busy. */
	kill(-pid, SIGKILL);
	tcdrain(output_fd);
	send_results();
	if (late)
		tell("suite %s timeout %d %.2f", name, limit, now() - start);
	else if (WIFSIGNALED(status))
		tell("suite %s signal %d %.2f", name, WTERMSIG(status), now() - start);
	else
		tell("suite %s exit %d %.2f", name, WEXITSTATUS(status), now() - start);
	if (late || status)
		failures++;
}

/* Every "suite" ... "run" group of the plan. */
static void run_suites(void)
{
	const char *keyword, *value, *name = NULL, *cwd = NULL;
	size_t at = 0, first = 0;
	int limit = 0;

	setenv("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", 1);
	setenv("HOME", "/tmp", 1);
	setenv("MOCKVISOR_OUT", OUT_DIR, 1);
	while (plan_next(&at, &keyword, &value)) {
		if (!strcmp(keyword, "suite")) {
			name = value;
			first = at;
			nr_args = 0;
			limit = 0;
		} else if (!strcmp(keyword, "cwd")) {
			cwd = value;
		} else if (!strcmp(keyword, "timeout")) {
			limit = atoi(value);
		} else if (!strcmp(keyword, "arg") && nr_args < MAX_ARGS) {
			args[nr_args++] = (char *)value;
		} else if (!strcmp(keyword, "run") && name && nr_args) {
			run_suite(name, limit, cwd, first);
			name = NULL;
		}
	}
}

/*
 * The host's root, read-only, under /host; what a program may want to write is a tmpfs. /tmp shows the host's files
 * below a writable layer, because the caller's directory may well be there.
 */
static bool mount_host_root(void)
{
	mkdir("/host", 0755);
	if (mount("hostroot", "/host", "9p", MS_RDONLY,
		  "trans=virtio,version=9p2000.L,msize=512000,cache=loose")) {
		fail("mount", "/host", errno);
		return false;
	}
	try_mount("tmpfs", "/mv/layer", 0, NULL);
	mkdir("/mv/layer/upper", 01777);
	chmod("/mv/layer/upper", 01777);
	mkdir("/mv/layer/work", 0755);
	if (mount("overlay", "/host/tmp", "overlay", 0,
		  "lowerdir=/host/tmp,upperdir=/mv/layer/upper,workdir=/mv/layer/work"))
		try_mount("tmpfs", "/host/tmp", 0, "mode=1777");
	try_mount("tmpfs", "/host/run", 0, "mode=0755");
	if (mount("/dev", "/host/dev", NULL, MS_BIND | MS_REC, NULL))
		fail("bind", "/host/dev", errno);
	if (mount("/proc", "/host/proc", NULL, MS_BIND | MS_REC, NULL))
		fail("bind", "/host/proc", errno);
	if (mount("/sys", "/host/sys", NULL, MS_BIND | MS_REC, NULL))
		fail("bind", "/host/sys", errno);
	return true;
}

/* What the plan wants besides: "mount TYPE PATH" and "mkdir PATH", in the command's root. */
static void prepare_host_root(void)
{
	const char *keyword, *value, *path;
	char type[32], full[512];
	size_t at = 0;

	while (plan_next(&at, &keyword, &value)) {
		if (!strcmp(keyword, "mount") && (path = strchr(value, ' '))) {
			snprintf(type, sizeof(type), "%.*s", (int)(path - value), value);
			snprintf(full, sizeof(full), "/host%s", path + 1);
			try_mount(type, full, 0, NULL);
		} else if (!strcmp(keyword, "mkdir")) {
			snprintf(full, sizeof(full), "/host%s", value);
			if (mkdir(full, 0755) && errno != EEXIST)
				fail("mkdir", value, errno);
		}
	}
}

/* virtio-serial ports are found by the name that the host gave them. */
static int open_stream(const char *wanted, int flags)
{
	char path[320], name[64];
	struct dirent *entry;
	int tries, fd;
	ssize_t len;
	DIR *dir;

	for (tries = 0; tries < 50; tries++, usleep(20 * 1000)) {
		dir = opendir("/sys/class/virtio-ports");
		while (dir && (entry = readdir(dir))) {
			snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", entry->d_name);
			fd = open(path, O_RDONLY | O_CLOEXEC);
			if (fd < 0)
				continue;
			len = read(fd, name, sizeof(name) - 1);
			close(fd);
			if (len <= 0)
				continue;
			name[len] = 0;
			name[strcspn(name, "\n")] = 0;
			if (strcmp(name, wanted))
				continue;
			snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
			closedir(dir);
			return open(path, flags | O_CLOEXEC);
		}
		if (dir)
			closedir(dir);
	}
	errno = ENODEV;
	return -1;
}

static void use_terminal(int rows, int columns)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };
	struct termios mode;
	int fd = open("/dev/ttyS0", O_RDWR);

	ioctl(fd, TIOCSCTTY, 1);
	if (rows && columns)
		ioctl(fd, TIOCSWINSZ, &size);
	if (tcgetattr(fd, &mode) == 0) {
		cfsetspeed(&mode, B115200);
		mode.c_lflag |= ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | ISIG | IEXTEN;
		mode.c_iflag |= ICRNL | IXON | IUTF8;
		mode.c_oflag |= OPOST | ONLCR;
		mode.c_cflag |= CLOCAL | CREAD;
		tcsetattr(fd, TCSANOW, &mode);
	}
	dup2(fd, 0);
	dup2(fd, 1);
	dup2(fd, 2);
}

/* Copies one of the command's outputs to its stream; a pipe between them gives the command POSIX semantics. */
static pid_t pump(int from, int to, const int *others, int nr_others)
{
	char data[65536];
	ssize_t len, done, part;
	pid_t pid = fork();
	int i;

	if (pid)
		return pid;
	unblock_signals();
	for (i = 0; i < nr_others; i++)
		close(others[i]);
	while ((len = read(from, data, sizeof(data))) > 0)
		for (done = 0; done < len; done += part)
			if ((part = write(to, data + done, len - done)) <= 0)
				_exit(1);
	_exit(0);
}

static bool read_whole(int fd, void *data, size_t size)
{
	ssize_t len;

	for (; size; size -= len, data = (char *)data + len)
		if ((len = read(fd, data, size)) <= 0)
			return false;
	return true;
}

/*
 * The same for stdin, whose stream is cut into records of a 32-bit little-endian length and bytes; length 0 is
 * end-of-file. (Hanging up the port would lose what QEMU has not passed on yet.)
 */
static pid_t pump_stdin(int from, int to, const int *others, int nr_others)
{
	char data[65536];
	uint32_t size;
	ssize_t part;
	size_t done;
	pid_t pid = fork();
	int i;

	if (pid)
		return pid;
	unblock_signals();
	for (i = 0; i < nr_others; i++)
		close(others[i]);
	while (read_whole(from, &size, sizeof(size)) && size && size <= sizeof(data) && read_whole(from, data, size))
		for (done = 0; done < size; done += part)
			if ((part = write(to, data + done, size - done)) <= 0)
				_exit(1);
	_exit(0);
}

struct command {
	const char *cwd, *path;
	int limit, rows, columns;
	bool present, terminal;
};

static struct command command;

/* Whatever "command ..." rows the plan has. */
static bool read_command(void)
{
	const char *keyword, *value;
	size_t at = 0;

	while (plan_next(&at, &keyword, &value)) {
		if (!strcmp(keyword, "command")) {
			command.present = true;
			command.terminal = !strcmp(value, "terminal");
			nr_args = 0;
		} else if (!strcmp(keyword, "cwd")) {
			command.cwd = value;
		} else if (!strcmp(keyword, "timeout")) {
			command.limit = atoi(value);
		} else if (!strcmp(keyword, "rows")) {
			command.rows = atoi(value);
		} else if (!strcmp(keyword, "columns")) {
			command.columns = atoi(value);
		} else if (!strcmp(keyword, "env")) {
			putenv((char *)value);
		} else if (!strcmp(keyword, "arg") && nr_args < MAX_ARGS) {
			args[nr_args++] = (char *)value;
		}
	}
	args[nr_args] = NULL;
	return command.present && nr_args;
}

static void exec_command(void)
{
	unblock_signals();
	if (chroot("/host") || chdir("/"))
		dprintf(2, "chroot: %s\n", strerror(errno));
	if (command.cwd && chdir(command.cwd))
		dprintf(2, "harness: cannot enter %s (%s), using /\n", command.cwd, strerror(errno));
	execvp(args[0], args);
	dprintf(2, "harness: %s: %s\n", args[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* Runs the user's command on the host's files and tells its exit code. */
static void run_command(void)
{
	int in[2], out[2], err[2], stream_in = -1, stream_out = -1, stream_err = -1;
	pid_t pid, pumps[3] = { -1, -1, -1 };
	bool late;
	int status = 0;

	if (!read_command())
		return;
	if (!mount_host_root())
		return;
	prepare_host_root();
	if (!command.terminal) {
		stream_in = open_stream("stdin", O_RDONLY);
		stream_out = open_stream("stdout", O_WRONLY);
		stream_err = open_stream("stderr", O_WRONLY);
		if (stream_in < 0 || stream_out < 0 || stream_err < 0) {
			fail("open", "virtio ports", errno);
			return;
		}
		if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) {
			fail("pipe", "stdio", errno);
			return;
		}
	}
	pid = fork();
	if (pid == 0) {
		setsid();
		if (command.terminal) {
			use_terminal(command.rows, command.columns);
		} else {
			dup2(in[0], 0);
			dup2(out[1], 1);
			dup2(err[1], 2);
		}
		exec_command();
	}
	if (!command.terminal) {
		int all[] = { in[0], out[1], err[1] };
		int ends[] = { in[0], in[1], out[1], err[1] };

		/* The pump of stdin must hold the only write end, and those of the outputs none. */
		pumps[0] = pump_stdin(stream_in, in[1], all, 3);
		pumps[1] = pump(out[0], stream_out, ends, 4);
		pumps[2] = pump(err[0], stream_err, ends, 4);
		close(in[0]);
		close(in[1]);
		close(out[1]);
		close(err[1]);
	}
	late = wait_for(pid, command.limit, &status);
	if (!command.terminal) {
		int ignored, i;

		kill(pumps[0], SIGKILL);
		/* A daemon left behind may hold the pipes for ever: what was written so far is enough then. */
		for (i = 1; i < 3; i++)
			if (waitpid(pumps[i], &ignored, WNOHANG) == 0)
				wait_for(pumps[i], 5, &ignored);
	}
	kill(-pid, SIGKILL);
	if (late)
		tell("command timeout %d", command.limit);
	else if (WIFSIGNALED(status))
		tell("command exit %d", 128 + WTERMSIG(status));
	else
		tell("command exit %d", WEXITSTATUS(status));
}

/* A module that cannot be unloaded has leaked a reference; that is a failure like any other. */
static void unload_module(void)
{
	struct timespec tick = { .tv_nsec = 100 * 1000 * 1000 };
	int tries, error = 0;

	if (!module_name)
		return;
	for (tries = 0; tries < UNLOAD_TRIES; tries++) {
		if (syscall(SYS_delete_module, module_name, O_NONBLOCK) == 0) {
			tell("unloaded %s", module_name);
			return;
		}
		error = errno;
		if (error != EAGAIN && error != EBUSY && error != EWOULDBLOCK)
			break;
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		nanosleep(&tick, NULL);
	}
	fail("rmmod", module_name, error);
}

/* A kernel with kmemleak says what nothing points to. It must be seen twice: a pointer may be in a register. */
static void scan_for_leaks(void)
{
	static const char control[] = "/sys/kernel/debug/kmemleak";
	static char data[1 << 18];
	char *line, *rest;
	int fd = open(control, O_RDWR | O_CLOEXEC);
	size_t size = 0;
	int i, leaks = 0;
	ssize_t len;

	if (fd < 0)
		return;
	/* an object younger than five seconds is never called a leak */
	sleep(6);
	for (i = 0; i < 2; i++)
		if (write(fd, "scan", 4) != 4)
			fail("scan", control, errno);
	while (size < sizeof(data) - 1 && (len = read(fd, data + size, sizeof(data) - 1 - size)) > 0)
		size += len;
	for (line = strtok_r(data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		dprintf(output_fd, "kmemleak: %s\n", line);
		leaks += !strncmp(line, "unreferenced object", 19);
	}
	if (leaks) {
		failures++;
		tell("error leak: %d unreferenced objects, see output.log", leaks);
	}
	close(fd);
}

/* The whole kernel log: the console shows only what its log level lets through. */
static void send_kernel_log(void)
{
	int size = klogctl(10 /* SYSLOG_ACTION_SIZE_BUFFER */, NULL, 0);
	char head[64];
	char *data = malloc(size > 0 ? size : 1);
	int len = data ? klogctl(3 /* SYSLOG_ACTION_READ_ALL */, data, size) : -1;

	if (len < 0) {
		fail("read", "kernel log", errno);
		return;
	}
	send_bytes(head, snprintf(head, sizeof(head), "MVFILE %d kmsg.log\n", len));
	send_bytes(data, len);
	send_bytes("\n", 1);
	free(data);
}

int main(void)
{
	sigset_t set;

	/* 1. SIGCHLD is waited for, not handled. */
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);

	/* 2. A system to run in. */
	settle_root();
	mount_filesystems();

	/* 3. From here on the host hears of everything. */
	open_channels();
	read_plan();

	/* 4. The module under test, and what it and the plan need. */
	load_helpers();
	load_module();

	/* 5. The work: suites, or the user's command. */
	run_suites();
	run_command();

	/* 6. Nothing may be left behind. */
	unload_module();
	scan_for_leaks();
	send_results();
	send_kernel_log();

	/* 7. The verdict; without this line the run is not good. */
	if (failures)
		tell("failed %d", failures);
	else
		tell("success");
	power_off(failures ? 1 : 0);
}
