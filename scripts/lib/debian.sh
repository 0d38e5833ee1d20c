# Sourced by scripts that need a Debian beside the machine's own: a minimal
# system of some release, made once by mmdebstrap, kept as a tar file for a
# month, unpacked for each use, and entered in name spaces of its own. When a
# command in it ends, however it ends, its processes and mounts are gone.
#
# Needs root. The caller may set `trap debian_finish EXIT` before it begins.

debian_cache=${PORTAGE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/pg_portage}/debian
DEBIAN_CACHE_DAYS=30
debian_work=
debian_child=

debian_finish()
{
	# unshare waits through other signals; its name spaces end with it, and
	# with them the mounts, which this one has never seen.
	[ -z "$debian_child" ] || kill -KILL "$debian_child" 2>/dev/null || true
	[ -z "$debian_work" ] || rm -rf --one-file-system "$debian_work"
}

# Which Debian releases have which PostgreSQL, best first.
debian_releases()
{
	case $1 in
		13) echo bullseye ;;
		15) echo bookworm ;;
		17) echo trixie ;;
		18) echo sid forky ;;
		*) return 1 ;;
	esac
}

# The other way round.
debian_postgresql()
{
	local major

	for major in 13 15 17 18
	do
		if [[ " $(debian_releases $major) " == *" $1 "* ]]
		then
			echo $major
			return 0
		fi
	done
	return 1
}

# Says why systems cannot be made here, and returns 0, if they cannot.
debian_impossible()
{
	if [ "$(id -u)" -ne 0 ]
	then
		echo "that needs root"
	elif ! unshare --mount --pid --fork --ipc --net true 2>/dev/null
	then
		echo "name spaces cannot be made here"
	elif ! (. /etc/os-release && [ "$ID" = debian ])
	then
		echo "this is not Debian"
	else
		return 1
	fi
}

debian_codename()
{
	(. /etc/os-release && echo "$VERSION_CODENAME")
}

# What apt of this machine calls Debian, as lines of sources.list for a
# release; nothing if it has not looked yet, which is when mmdebstrap knows
# where Debian is. sid is neither updated nor secured beside itself.
debian_sources()
{
	local here

	here=$(debian_codename)
	apt-get indextargets --format 'deb $(SITE) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' 'Origin: Debian' 2>/dev/null |
		grep -E " $here(-updates|-security)? main$" | sort -u |
		if [ "$1" = sid ]
		then
			sed -n "s/ $here main$/ sid main/p"
		else
			sed -E "s/ $here(-[a-z]+)? main$/ $1\1 main/"
		fi || true
}

# apt's settings of how to reach the archive. A mirror may be behind the
# archive; what it has is signed all the same.
debian_apt_access()
{
	echo 'Acquire::Check-Valid-Until "false";'
	echo 'Acquire::Retries "3";'
	apt-config dump --format '%F "%v";%n' |
		grep -E '^Acquire::(http|https|ftp)::Proxy[ :]' || true
}

# Begin: a folder to work in, and the only one to use the cache until
# debian_unlock.
debian_begin()
{
	mkdir -p "$debian_cache"
	exec 9>"$debian_cache/lock"
	flock 9
	debian_work=$(mktemp -d)
	debian_apt_access >"$debian_work/apt.conf"
}

debian_unlock()
{
	exec 9>&-
}

# debian_make NAME RELEASE [PACKAGE...]: NAME.tar in the cache, a minimal system
# with these packages, beside the list of what it was made of. Returns 2 if an
# old one will do.
debian_make()
{
	local name=$1 release=$2 new sources
	local tar=$debian_cache/$1.tar made=$debian_cache/$1.made

	shift 2
	if [ -f "$tar" ] && [ "$(cat "$made" 2>/dev/null)" = "$release $*" ] &&
		[ -z "$(find "$tar" -mtime +$DEBIAN_CACHE_DAYS)" ]
	then
		return 2
	fi
	echo "making a minimal Debian $release"
	new=$(mktemp "$debian_cache/$name.XXXXXX")
	sources=$(debian_sources "$release")
	# Installing a server must not create a cluster.
	if mmdebstrap --mode=root --variant=minbase --format=tar \
		--skip=cleanup/apt/lists --aptopt="$debian_work/apt.conf" \
		--dpkgopt=force-unsafe-io --dpkgopt=force-confold \
		--setup-hook='mkdir -p "$1/etc/postgresql-common"' \
		--setup-hook='echo "create_main_cluster = false" \
			>"$1/etc/postgresql-common/createcluster.conf"' \
		${*:+--include="$*"} "$release" "$new" ${sources:+-} <<<"$sources" \
		>"$debian_work/made.log" 2>&1
	then
		mv "$new" "$tar"
		echo "$release $*" >"$made"
	else
		tail -n 20 "$debian_work/made.log" >&2
		rm -f "$new"
		return 1
	fi
}

# debian_unpack NAME: into $debian_root, with the empty folder /test.
debian_unpack()
{
	debian_root=$debian_work/root
	mkdir -p "$debian_root"
	tar -x --numeric-owner -f "$debian_cache/$1.tar" -C "$debian_root"
	chmod 755 "$debian_root" "$debian_work"
	mkdir "$debian_root/test"
	cp "$debian_work/apt.conf" "$debian_root/etc/apt/apt.conf.d/99access"
	cp -L /etc/resolv.conf /etc/hosts "$debian_root/etc/"
}

# debian_run [--alone] [--bind FOLDER PATH] COMMAND [ARG...]: run it as root of
# the system, without a terminal, with an environment that names only what
# reaches the archive; --alone leaves of the network the machine itself, and
# --bind shows FOLDER at PATH. Returns what the command did.
debian_run()
{
	local spaces=(--mount --propagation private --pid --fork
		--kill-child=KILL --ipc) alone=no folder='' path='' status=0

	while [[ ${1-} == --* ]]
	do
		case $1 in
			--alone) alone=yes; spaces+=(--net); shift ;;
			--bind) folder=$2 path=$3; shift 3 ;;
		esac
	done
	unshare "${spaces[@]}" \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root \
		${http_proxy:+http_proxy="$http_proxy"} \
		${https_proxy:+https_proxy="$https_proxy"} \
		bash -euc '
			root=$1 alone=$2 folder=$3 path=$4
			shift 4
			mount --bind "$root" "$root"
			mount -t proc proc "$root/proc"
			mount -t tmpfs -o mode=755 tmpfs "$root/dev"
			for device in null zero full random urandom tty
			do
				touch "$root/dev/$device"
				mount --bind "/dev/$device" "$root/dev/$device"
			done
			ln -s /proc/self/fd "$root/dev/fd"
			ln -s /proc/self/fd/0 "$root/dev/stdin"
			ln -s /proc/self/fd/1 "$root/dev/stdout"
			ln -s /proc/self/fd/2 "$root/dev/stderr"
			mkdir "$root/dev/shm" "$root/dev/pts"
			mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
			mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
			ln -s pts/ptmx "$root/dev/ptmx"
			[ -z "$path" ] || mount --bind "$folder" "$root$path"
			# In a chroot, users could have no name spaces of their own.
			cd "$root"
			pivot_root . .
			umount -l .
			cd /
			[ "$alone" = no ] || ip link set lo up
			exec "$@"
		' bash "$debian_root" "$alone" "$folder" "$path" "$@" </dev/null 9>&- &
	debian_child=$!
	wait "$debian_child" || status=$?
	debian_child=
	return $status
}
