# Sourced, after debian.sh, by scripts that check this tree in a Debian beside
# the machine's own: which packages that needs, the system with a copy of the
# tree in /test, and a run in it that is judged by its totals.

# inside_packages MAJOR: those of scripts/packages.txt, for a system with this
# PostgreSQL, and with no tools of ours for lint and fuzzing, whose versions are
# pinned, unless it is the machine's own. ip is for debian_run --alone.
inside_packages()
{
	local here

	here=$(sed -n 's/^postgresql-\([0-9]*\)$/\1/p' scripts/packages.txt)
	sed -e 's/#.*//' -e '/^[[:space:]]*$/d' scripts/packages.txt |
		if [ "$here" = "$1" ]
		then
			cat
		else
			sed -E -e "s/^(postgresql.*)-$here$/\1-$1/" -e '/^(lib)?clang-/d'
		fi
	echo iproute2
}

# inside_make NAME RELEASE PACKAGE...: the system, unpacked, with the tree as it
# is and the list of packages that `make deps` looks for there. What was built
# of it for this machine is to be cleaned inside. Returns 1 without a system.
inside_make()
{
	local name=$1 release=$2 status=0

	shift 2
	debian_begin
	debian_make "$name" "$release" "$@" || status=$?
	[ $status -ne 1 ] || return 1
	debian_unpack "$name"
	debian_unlock
	tar -c --exclude-vcs --exclude='*.o' --exclude='*.bc' --exclude='*.so' \
		--exclude='*.a' --exclude=packaging/deb --exclude=./tmp_check . |
		tar -x --no-same-owner -C "$debian_root/test"
	printf '%s\n' "$@" >"$debian_root/test/scripts/packages.txt"
}

# The variables that a user may set for the tests there, as NAME=VALUE, each
# ended by a zero byte.
inside_settings()
{
	local variable

	while IFS= read -r -d '' variable
	do
		case $variable in
			TESTS=*|ROUNDS=*|PROVE_*=*|DEMO_*=*) printf '%s\0' "$variable" ;;
		esac
	done </proc/$$/environ
}

# inside_run NAME COMMANDS [NAME=VALUE...]: run bash's COMMANDS in /test, with
# no network but the machine itself, and show what they print, which is in
# $inside_log as well. Fails unless they end with 0 and the last line is totals
# without a failure; the logs of what failed are in tmp_check/NAME then.
inside_run()
{
	local name=$1 commands=$2 status=0

	shift 2
	inside_log=$debian_work/check.log
	debian_run --alone env -C /test "$@" bash -euc '
		echo "$(. /etc/os-release; echo "$PRETTY_NAME"):" \
			"$("$(scripts/find-pg-config)" --version), $(gcc --version | head -n 1)"
		# Where systemd runs it is there, and systemd-analyze looks into it.
		mkdir -p /run/systemd
		make -s clean
		'"$commands" > >(tee "$inside_log") 2>&1 || status=$?
	# tee may have something left to say.
	wait
	if [ $status -ne 0 ]
	then
		rm -rf "tmp_check/$name"
		mkdir -p "tmp_check/$name"
		cp -R "$debian_root/test/tmp_check/." "$inside_log" "tmp_check/$name/" || true
		echo "logs kept in tmp_check/$name" >&2
		return $status
	fi
	if ! tail -n 1 "$inside_log" | grep -qE '^[1-9][0-9]* passed, 0 failed'
	then
		echo "the tests did not end with their totals" >&2
		return 1
	fi
}
