#!/bin/sh
# First process of a lab guest: mounts, modules, the checks named on the kernel's command line, power off.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM=dumb
b=/usr/bin/busybox
$b mount -t devtmpfs dev /dev
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mkdir -p /dev/shm /dev/pts /sys/fs/cgroup /sys/fs/bpf /sys/kernel/tracing /sys/kernel/security /run/netns
$b mount -t cgroup2 cgroup /sys/fs/cgroup
$b mount -t bpf bpf /sys/fs/bpf
$b mount -t tracefs trace /sys/kernel/tracing
$b mount -t securityfs security /sys/kernel/security
$b mount -t devpts pts /dev/pts
$b mount -t tmpfs run /run
$b mount -t tmpfs tmp /tmp
$b mkdir -p /run/netns
# What Debian's packages did not bring; nothing of theirs is replaced.
$b --install -s /usr/bin 2>/dev/null
ip link set lo up
echo 4 >/proc/sys/kernel/printk
for module in virtio_pci virtio_blk virtio_net e1000 e1000e vmxnet3 8139cp igb ixgbe; do modprobe -q $module; done
# As udev would have it: opening it loads the module.
$b mkdir -p /dev/net && $b mknod /dev/net/tun c 10 200
tty=/dev/$($b awk '{ print $NF }' /sys/class/tty/console/active)
$b stty -F $tty -echo 2>/dev/null
case " $(cat /proc/cmdline) " in
*" lab.shell "*) setsid -c $b sh <$tty >$tty 2>&1 ;;
*) PKTCOST_BIN=/opt/pktcost/node_modules/pktcost/bin/pktcost.js node /repo/build/test/lab/guest.js </dev/null >$tty 2>&1 ;;
esac
[ -b /dev/vda ] && tar -C /results -cf /dev/vda . 2>/dev/null || $b tar -C /results -cf /dev/vda .
$b sync
$b poweroff -f
