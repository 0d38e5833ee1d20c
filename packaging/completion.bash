# Completion of pg_portage for bash: commands, the options of each, and values.
# The tables are made from --help when pg_portage is built.

@TABLES@

# The words of the line without the program's, URLs and "--option=value" in one
# piece whatever COMP_WORDBREAKS made of them; "at" is the one with the cursor.
_pg_portage_read_words()
{
	local token joins=no i

	words=()
	for ((i = 1; i < ${#COMP_WORDS[@]}; i++))
	do
		token=${COMP_WORDS[i]}
		if ((${#words[@]} > 0)) && [[ $joins == yes || $token =~ ^[=:]+$ ]]
		then
			# What follows the cursor is not part of the word to complete.
			((i > COMP_CWORD && at == ${#words[@]} - 1)) || words[-1]+=$token
		else
			words+=("$token")
		fi
		joins=no
		[[ $token =~ ^[=:]+$ ]] && joins=yes
		((i != COMP_CWORD)) || at=$((${#words[@]} - 1))
	done
}

# The command: the first word beside the cursor's that is neither an option nor
# the value of one; "none" while there is none.
_pg_portage_find_command()
{
	local i

	command=none
	for ((i = 0; i < ${#words[@]}; i++))
	do
		if [[ ${words[i]} == -* ]]
		then
			# The next word is its value, unless it is a command and the option
			# needs none.
			[ -z "${_pg_portage_values[${words[i]}]+takes}" ] ||
				[[ -n ${_pg_portage_flags["any ${words[i]}"]-} &&
					-n ${words[i+1]-} &&
					-n ${_pg_portage_options[${words[i+1]}]+known} ]] ||
				((i++))
		elif ((i != at)) && [ -n "${words[i]}" ] &&
			[ -n "${_pg_portage_options[${words[i]}]+known}" ]
		then
			command=${words[i]}
			return
		fi
	done
}

# Does option $1 take a value with the command?
_pg_portage_takes()
{
	[[ -n ${_pg_portage_values[$1]+takes} &&
		-z ${_pg_portage_flags["$command $1"]-} ]]
}

# Print what the value $2 of option $1 may become.
_pg_portage_value()
{
	local values=${_pg_portage_values[$1]}

	case $values in
		@folder) compgen -d -- "$2" ;;
		@file) compgen -f -- "$2" ;;
		*) compgen -W "$values" -- "$2" ;;
	esac
}

_pg_portage()
{
	local words at=0 command word before prefix option IFS=$' \t\n'

	_pg_portage_read_words
	_pg_portage_find_command
	word=${words[at]-}
	before=''
	((at == 0)) || before=${words[at-1]}
	if [[ $before == --* ]] && _pg_portage_takes "$before"
	then
		mapfile -t COMPREPLY < <(_pg_portage_value "$before" "$word")
		# compopt works only in the shell that completes.
		[[ ${_pg_portage_values[$before]} != @* ]] ||
			compopt -o filenames 2>/dev/null
	elif [[ $word == --*=* ]]
	then
		option=${word%%=*}
		COMPREPLY=()
		if _pg_portage_takes "$option"
		then
			mapfile -t COMPREPLY < <(_pg_portage_value "$option" "${word#*=}")
			COMPREPLY=("${COMPREPLY[@]/#/$option=}")
		fi
	elif [[ $word == -* || $command != none ]]
	then
		mapfile -t COMPREPLY < <(
			compgen -W "${_pg_portage_options[$command]}" -- "$word")
	else
		mapfile -t COMPREPLY < <(compgen -W "$_pg_portage_commands" -- "$word")
	fi

	# The shell replaces only what stands behind the last break.
	prefix=${word%"${COMP_WORDS[COMP_CWORD]}"}
	[[ ! ${COMP_WORDS[COMP_CWORD]} =~ ^[=:]+$ ]] || prefix=$word
	COMPREPLY=("${COMPREPLY[@]#"$prefix"}")
	return 0
}

complete -F _pg_portage pg_portage
