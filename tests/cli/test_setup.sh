#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test_setup.sh SOURCE WORK - scripts/setup.sh on machines of all kinds.
#
# The machine is made of stand-ins: a table with a package that is missing
# until apt-get "installs" it, and commands that say what they were asked.

set -eu
source=$1
work=$2
failures=0

rm -rf "$work"
mkdir -p "$work/bin"
cat >"$work/bin/apt-get" <<'SCRIPT'
#!/bin/sh
echo "apt-get $*"
case "$*" in
*broken*) exit 1 ;;
install*thing*) touch "$WORK/thing" ;;
esac
SCRIPT
cat >"$work/bin/sudo" <<'SCRIPT'
#!/bin/sh
echo "sudo $*"
exec "$@"
SCRIPT
cat >"$work/bin/id" <<'SCRIPT'
#!/bin/sh
echo "$FAKE_UID"
SCRIPT
chmod +x "$work"/bin/*

# machine DEBIAN(yes|no) UID TABLE ARGUMENT...: what setup says and does.
machine() {
	debian=$1
	uid=$2
	table=$3
	shift 3
	rm -f "$work/thing"
	status=0
	WORK=$work FAKE_UID=$uid PATH="$work/bin:$PATH" sh -eu -c '
		. "$1/scripts/setup.sh"
		debian=$2
		table=$3
		shift 3
		setup_table() { printf "%s\n" "$table"; }
		setup_is_debian() { [ "$debian" = yes ]; }
		for argument; do setup_argument "$argument"; done
		setup_begin build
		echo reached
	' sh "$source" "$debian" "$table" "$@" \
		>"$work/said" 2>&1 </dev/null || status=$?
}

absent="build|thing|does things|test -e $work/thing"
wished="build wish|nicety|is nice|false"
present="build|shell|runs|true"
other="plot|other|is of another group|false"

expect() {
	grep -q -- "$1" "$work/said" || complain "does not say '$1'"
}

expect_not() {
	! grep -q -- "$1" "$work/said" || complain "says '$1'"
}

expect_status() {
	[ "$status" -eq "$1" ] || complain "ends with $status, not $1"
}

complain() {
	echo "test_setup: $test: $1; it said:" >&2
	sed 's/^/	/' "$work/said" >&2
	failures=$((failures + 1))
}

test='nothing is missing'
machine yes 0 "$present
$other"
expect_status 0
expect reached
expect_not Missing
expect_not apt-get

test='root installs what is missing, and says what and why'
machine yes 0 "$present
$absent"
expect_status 0
expect 'thing  *does things'
expect 'apt-get install thing'
expect 'apt-get update'
expect 'apt-get install -y .*thing'
expect reached

test='a user without a terminal is told the line'
machine yes 1000 "$absent"
expect_status 1
expect 'apt-get install thing'
expect 'start again with --yes'
expect_not 'apt-get install -y'
expect_not reached

test='a user who says --yes gets sudo'
machine yes 1000 "$absent" --yes
expect_status 0
expect 'sudo apt-get update'
expect 'sudo env .*apt-get install -y'
expect reached

test='--no-install never installs'
machine yes 0 "$absent" --no-install
expect_status 1
expect 'apt-get install thing'
expect_not 'apt-get install -y'

test='elsewhere than Debian the packages are named'
machine no 0 "$absent"
expect_status 1
expect 'thing  *does things'
expect 'names'
expect_not 'apt-get'

test='a failed installation stops the script'
machine yes 0 "build|broken|cannot be had|false"
expect_status 1
expect 'could not install'
expect_not reached

test='what is still missing afterwards stops the script'
machine yes 0 "build|stubborn|is never there|false"
expect_status 1
expect 'Still missing:$'
expect '^  stubborn  *is never there$'
expect_not '|'

test='the cmake that is wanted is named with where it is found'
machine no 0 "build|cmake|$(. "$source/scripts/setup.sh" && setup_table |
	sed -n 's/^build|cmake|\([^|]*\)|.*/\1/p')|false"
expect 'cmake  *configures; 3.25 or newer: Debian 12, Ubuntu 24.04'

test='a log that cannot be written stops the script, and names it'
status=0
touch "$work/file"
(. "$source/scripts/setup.sh" && setup_may_write "$work/file/log") \
	>"$work/said" 2>&1 || status=$?
expect_status 1
expect 'file/log cannot be written'

test='a log of before is not the log of this run'
echo old >"$work/logs"
(. "$source/scripts/setup.sh" && setup_may_write "$work/logs") \
	>"$work/said" 2>&1
[ ! -s "$work/logs" ] || complain 'the old log is still there'

test='a wish alone stops nobody and asks nobody'
machine yes 1000 "$wished"
expect_status 0
expect 'works without: nicety'
expect_not 'apt-get install -y'
expect reached

test='elsewhere than Debian a wish alone stops nobody'
machine no 0 "$wished"
expect_status 0
expect 'works without: nicety'
expect reached

test='a wish that cannot be installed does not stop root'
machine yes 0 "build wish|broken|is nice|false"
expect_status 0
expect 'going on without broken'
expect reached

[ "$failures" -eq 0 ]
