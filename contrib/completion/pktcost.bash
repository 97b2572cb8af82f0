# bash completion for pktcost
# Generated from the commands by scripts/completion.mjs: npm run docs

_pktcost_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

# Names of the host are not for compgen -W, which expands what stands in them.
_pktcost_lines() {
  local line
  while IFS= read -r line; do
    [[ $line == "$cur"* ]] && COMPREPLY+=("$(printf %q "$line")")
  done
}

_pktcost_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
}

_pktcost() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} flag=
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    _pktcost_words "compare diagnose doctor fleet metrics record replay rules taps watch --help --version"
    return
  fi
  case "$command ${COMP_WORDS[2]}" in
    'rules explain' | 'rules export') ((COMP_CWORD > 2)) && command="$command ${COMP_WORDS[2]}" ;;
  esac
  # Readline makes three words of --flag=value.
  if [[ $cur == = ]]; then
    flag=$prev cur=
  elif [[ $prev == = ]]; then
    flag=${COMP_WORDS[COMP_CWORD - 2]}
  else
    case $prev in
      -f | --format | -o | --output | --fail-on | -w | --window | -i | --interface | --netns | --max-overhead | --exporter | --config | --baseline | --bundle | --probe | --xdp-mode | --path.procfs | --path.sysfs | --path.rootfs | --prometheus | --at | --match | --token-file | --tenant | --timeout | --top | --range | --until | --for | --keep) flag=$prev ;;
    esac
  fi
  case "$command $flag" in
    'compare -f' | 'compare --format') _pktcost_words "text json markdown" ;;
    'compare -o' | 'compare --output') _pktcost_files -f ;;
    'compare --fail-on') _pktcost_words "critical warning not-measured never" ;;
    'compare ')
      case $cur in
        -*) _pktcost_words "--format --json --output --fail-on --verbose --help" ;;
        *) _pktcost_files -f ;;
      esac
      ;;
    'diagnose -w' | 'diagnose --window') : ;;
    'diagnose -i' | 'diagnose --interface') _pktcost_lines < <(ls /sys/class/net 2>/dev/null) ;;
    'diagnose --netns') _pktcost_words "all none"; _pktcost_lines < <(ls /run/netns 2>/dev/null) ;;
    'diagnose --max-overhead') : ;;
    'diagnose -f' | 'diagnose --format') _pktcost_words "text json markdown html folded" ;;
    'diagnose -o' | 'diagnose --output') _pktcost_files -f ;;
    'diagnose --exporter') : ;;
    'diagnose --config') _pktcost_files -f ;;
    'diagnose --baseline') _pktcost_files -f ;;
    'diagnose --fail-on') _pktcost_words "critical warning not-measured never" ;;
    'diagnose --bundle') _pktcost_files -f ;;
    'diagnose --probe') _pktcost_words "auto taps xdp off" ;;
    'diagnose --xdp-mode') _pktcost_words "native generic" ;;
    'diagnose --path.procfs') _pktcost_files -d ;;
    'diagnose --path.sysfs') _pktcost_files -d ;;
    'diagnose --path.rootfs') _pktcost_files -d ;;
    'diagnose ')
      case $cur in
        -*) _pktcost_words "--window --interface --netns --max-overhead --format --json --output --exporter --config --baseline --fail-on --verbose --quiet --bundle --redact --probe --xdp-mode --allow-system-changes --path.procfs --path.sysfs --path.rootfs --help" ;;
        *) : ;;
      esac
      ;;
    'doctor -i' | 'doctor --interface') _pktcost_lines < <(ls /sys/class/net 2>/dev/null) ;;
    'doctor -f' | 'doctor --format') _pktcost_words "text json" ;;
    'doctor -o' | 'doctor --output') _pktcost_files -f ;;
    'doctor --probe') _pktcost_words "auto taps xdp off" ;;
    'doctor --xdp-mode') _pktcost_words "native generic" ;;
    'doctor --path.procfs') _pktcost_files -d ;;
    'doctor --path.sysfs') _pktcost_files -d ;;
    'doctor --path.rootfs') _pktcost_files -d ;;
    'doctor ')
      case $cur in
        -*) _pktcost_words "--clean --interface --format --json --output --probe --xdp-mode --allow-system-changes --path.procfs --path.sysfs --path.rootfs --help" ;;
        *) : ;;
      esac
      ;;
    'fleet --prometheus') : ;;
    'fleet -w' | 'fleet --window') : ;;
    'fleet --at') : ;;
    'fleet --match') : ;;
    'fleet --token-file') _pktcost_files -f ;;
    'fleet --tenant') : ;;
    'fleet --timeout') : ;;
    'fleet --top') : ;;
    'fleet -f' | 'fleet --format') _pktcost_words "text json markdown" ;;
    'fleet -o' | 'fleet --output') _pktcost_files -f ;;
    'fleet --config') _pktcost_files -f ;;
    'fleet --fail-on') _pktcost_words "critical warning not-measured never" ;;
    'fleet ')
      case $cur in
        -*) _pktcost_words "--prometheus --window --at --match --token-file --tenant --timeout --top --format --json --output --config --fail-on --verbose --help" ;;
        *) : ;;
      esac
      ;;
    'metrics -o' | 'metrics --output') _pktcost_files -f ;;
    'metrics --netns') _pktcost_words "all none"; _pktcost_lines < <(ls /run/netns 2>/dev/null) ;;
    'metrics -w' | 'metrics --window') : ;;
    'metrics --max-overhead') : ;;
    'metrics --probe') _pktcost_words "auto taps xdp off" ;;
    'metrics --xdp-mode') _pktcost_words "native generic" ;;
    'metrics --path.procfs') _pktcost_files -d ;;
    'metrics --path.sysfs') _pktcost_files -d ;;
    'metrics --path.rootfs') _pktcost_files -d ;;
    'metrics ')
      case $cur in
        -*) _pktcost_words "--output --own --netns --window --max-overhead --probe --xdp-mode --allow-system-changes --path.procfs --path.sysfs --path.rootfs --help" ;;
        *) : ;;
      esac
      ;;
    'record --bundle') _pktcost_files -f ;;
    'record -w' | 'record --window') : ;;
    'record --netns') _pktcost_words "all none"; _pktcost_lines < <(ls /run/netns 2>/dev/null) ;;
    'record --max-overhead') : ;;
    'record --probe') _pktcost_words "auto taps xdp off" ;;
    'record --xdp-mode') _pktcost_words "native generic" ;;
    'record --path.procfs') _pktcost_files -d ;;
    'record --path.sysfs') _pktcost_files -d ;;
    'record --path.rootfs') _pktcost_files -d ;;
    'record ')
      case $cur in
        -*) _pktcost_words "--bundle --redact --window --netns --max-overhead --quiet --probe --xdp-mode --allow-system-changes --path.procfs --path.sysfs --path.rootfs --help" ;;
        *) : ;;
      esac
      ;;
    'replay -f' | 'replay --format') _pktcost_words "text json markdown html folded" ;;
    'replay -o' | 'replay --output') _pktcost_files -f ;;
    'replay --config') _pktcost_files -f ;;
    'replay --fail-on') _pktcost_words "critical warning not-measured never" ;;
    'replay ')
      case $cur in
        -*) _pktcost_words "--format --json --output --config --fail-on --verbose --help" ;;
        *) _pktcost_files -f ;;
      esac
      ;;
    'rules -f' | 'rules --format') _pktcost_words "text json" ;;
    'rules -o' | 'rules --output') _pktcost_files -f ;;
    'rules ')
      case $cur in
        -*) _pktcost_words "--format --json --output --help" ;;
        *) _pktcost_words "explain export" ;;
      esac
      ;;
    'rules explain -f' | 'rules explain --format') _pktcost_words "text json" ;;
    'rules explain -o' | 'rules explain --output') _pktcost_files -f ;;
    'rules explain ')
      case $cur in
        -*) _pktcost_words "--format --json --output --help" ;;
        *) _pktcost_lines < <(pktcost rules --json 2>/dev/null | grep -ow "PKT0..." | sort -u) ;;
      esac
      ;;
    'rules export --range') : ;;
    'rules export --config') _pktcost_files -f ;;
    'rules export -o' | 'rules export --output') _pktcost_files -f ;;
    'rules export ')
      case $cur in
        -*) _pktcost_words "--range --config --output --help" ;;
        *) : ;;
      esac
      ;;
    'taps -w' | 'taps --window') : ;;
    'taps --config') _pktcost_files -f ;;
    'taps --netns') _pktcost_words "all none"; _pktcost_lines < <(ls /run/netns 2>/dev/null) ;;
    'taps -i' | 'taps --interface') _pktcost_lines < <(ls /sys/class/net 2>/dev/null) ;;
    'taps -f' | 'taps --format') _pktcost_words "text json markdown" ;;
    'taps -o' | 'taps --output') _pktcost_files -f ;;
    'taps --probe') _pktcost_words "auto taps xdp off" ;;
    'taps --xdp-mode') _pktcost_words "native generic" ;;
    'taps --path.procfs') _pktcost_files -d ;;
    'taps --path.sysfs') _pktcost_files -d ;;
    'taps --path.rootfs') _pktcost_files -d ;;
    'taps ')
      case $cur in
        -*) _pktcost_words "--window --config --netns --interface --format --json --output --quiet --probe --xdp-mode --allow-system-changes --path.procfs --path.sysfs --path.rootfs --help" ;;
        *) : ;;
      esac
      ;;
    'watch --until') _pktcost_words "warning critical"; _pktcost_lines < <(pktcost rules --json 2>/dev/null | grep -ow "PKT0..." | sort -u) ;;
    'watch --for') : ;;
    'watch -w' | 'watch --window') : ;;
    'watch -i' | 'watch --interface') _pktcost_lines < <(ls /sys/class/net 2>/dev/null) ;;
    'watch --netns') _pktcost_words "all none"; _pktcost_lines < <(ls /run/netns 2>/dev/null) ;;
    'watch -o' | 'watch --output') _pktcost_files -f ;;
    'watch -f' | 'watch --format') _pktcost_words "text json markdown html folded" ;;
    'watch --config') _pktcost_files -f ;;
    'watch --fail-on') _pktcost_words "critical warning not-measured never" ;;
    'watch --bundle') _pktcost_files -d ;;
    'watch --keep') : ;;
    'watch --max-overhead') : ;;
    'watch --probe') _pktcost_words "auto taps xdp off" ;;
    'watch --xdp-mode') _pktcost_words "native generic" ;;
    'watch --path.procfs') _pktcost_files -d ;;
    'watch --path.sysfs') _pktcost_files -d ;;
    'watch --path.rootfs') _pktcost_files -d ;;
    'watch ')
      case $cur in
        -*) _pktcost_words "--until --for --window --interface --netns --json --output --format --config --fail-on --quiet --bundle --redact --keep --max-overhead --probe --xdp-mode --allow-system-changes --path.procfs --path.sysfs --path.rootfs --help" ;;
        *) : ;;
      esac
      ;;
  esac
}

complete -F _pktcost pktcost
