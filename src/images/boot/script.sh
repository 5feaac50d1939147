# Runs the image's command, looks at what became of its modules, loads those that it left, and unloads all of them.
# Everything it says goes through the kernel's log, in one order with the kernel's own messages.
say() { printf '<5>drvc %.900s\n' "$*" >/dev/kmsg; }
now() { read -r uptime rest </proc/uptime; uptime=${uptime%.*}; }
# What the kernel says of the module $1: its state, how often it is used, by whom.
look() {
    state='' uses='' users=''
    while read -r name rest; do
        if [ "$name" = "$1" ]; then
            set -- "$1" $rest
            uses=$3 users=$4 state=$5
        fi
    done </proc/modules
}
# Shells read byte by byte, and the kernel gives this number to one reading alone.
taint() { say "taint $1 $(cat /proc/sys/kernel/tainted)"; }
states() {
    for module in $modules; do
        look "$module"
        say "state $1 $module ${state:--} ${users:--}"
    done
}
nap() { sleep 0.1 2>/dev/null || :; }
# Whether the command still runs.
alive() {
    alive=no
    while read -r key value rest; do
        if [ "$key" = State: ]; then
            case $value in Z | X) ;; *) alive=yes ;; esac
        fi
    done 2>/dev/null <"/proc/$command/status"
}
drain() { while IFS= read -r line <&3; do say "out $line"; done; }

mkdir -p /run /tmp /root 2>/dev/null
echo 7 >/proc/sys/kernel/printk
taint before
say begin
: >/.drvc/out
exec 3</.drvc/out
(run_command) >/.drvc/out 2>&1 </dev/null &
command=$!
now
since=$uptime last=
while :; do
    alive
    live=no all=yes loading=no seen=
    for module in $modules; do
        look "$module"
        seen="$seen $module:$state"
        case $state in
        Live) live=yes ;;
        '') all=no ;;
        *) all=no loading=yes ;;
        esac
    done
    drain
    [ $alive = yes ] || break
    [ $all = no ] || break
    now
    if [ "$seen" != "$last" ]; then
        last=$seen since=$uptime
    fi
    if [ $live = yes ] && [ $loading = no ] && [ $((uptime - since)) -ge 2 ]; then break; fi
    nap
done
if [ $alive = yes ]; then
    say "command runs"
else
    wait $command
    say "command $?"
fi
drain
states command
for module in $modules; do
    look "$module"
    if [ -z "$state" ]; then
        say "try $module"
        modprobe -d /opt "$module" >/.drvc/try 2>&1
        code=$?
        while IFS= read -r line; do say "out $line"; done </.drvc/try
        say "tried $module $code"
    fi
done
states load
for module in $modules; do
    for file in "/sys/module/$module/parameters"/*; do
        if [ -f "$file" ] && IFS= read -r value 2>/dev/null <"$file"; then say "parameter $module ${file##*/} $value"; fi
    done
done
taint loaded
say unload
if [ $alive = yes ]; then
    kill -TERM $command
    now
    since=$uptime
    # Twice what Kubernetes gives a pod: an emulated processor is slow.
    while alive && [ $alive = yes ] && [ $((uptime - since)) -lt 60 ]; do
        nap
        now
    done
    [ $alive = no ] || say "command stays"
    drain
fi
reversed=
for module in $modules; do reversed="$module $reversed"; done
for module in $reversed; do
    look "$module"
    if [ -n "$state" ]; then
        modprobe -d /opt -r "$module" >/.drvc/try 2>&1
        while IFS= read -r line; do say "out $line"; done </.drvc/try
    fi
done
states unload
taint end
say end
echo b >/proc/sysrq-trigger
nap
