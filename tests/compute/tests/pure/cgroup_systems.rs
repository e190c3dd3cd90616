//! What `/proc/self/cgroup` and `/proc/self/mountinfo` say on real systems.

/// A system, and the directory in which the limit is to be found.
pub(crate) struct System {
    /// What is special about it.
    pub(crate) name: &'static str,
    /// Its /proc/self/cgroup.
    pub(crate) cgroup: &'static str,
    /// Its /proc/self/mountinfo.
    pub(crate) mountinfo: &'static str,
    /// The directory of our group.
    pub(crate) directory: &'static str,
    /// Whether the limit is in cpu.max, as in v2.
    pub(crate) unified: bool,
}

/// Other mounts, as they stand before those of the control groups.
macro_rules! others {
    ($text:literal) => {
        concat!(
            "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro\n",
            "23 22 0:21 / /proc rw,nosuid,nodev,noexec shared:12 master:3 - proc proc rw\n",
            "24 22 0:22 / /sys ro,nosuid,nodev,noexec,relatime - sysfs sysfs ro\n",
            "25 22 0:30 / /mnt/cgroup2 rw - tmpfs cgroup2 rw,cpu\n",
            $text,
            "90 22 0:99 / /tmp rw shared:99 - tmpfs tmpfs rw,size=1024k\n",
        )
    };
}
pub(crate) use others;

/// Systems as they are found.
pub(crate) const SYSTEMS: &[System] = &[
    System {
        name: "docker on v1: the group's own directory is what is mounted",
        cgroup: "12:pids:/docker/3601745b\n5:cpuset:/docker/3601745b\n4:cpu,cpuacct:/docker/3601745b\n1:name=systemd:/docker/3601745b\n0::/system.slice/containerd.service\n",
        mountinfo: others!(
            "1063 1062 0:27 /docker/3601745b /sys/fs/cgroup/systemd ro master:9 - cgroup cgroup rw,xattr,name=systemd\n\
             1064 1062 0:31 /docker/3601745b /sys/fs/cgroup/cpuset ro master:14 - cgroup cgroup rw,cpuset\n\
             1067 1062 0:33 /docker/3601745b /sys/fs/cgroup/cpu,cpuacct ro,nosuid master:16 - cgroup cgroup rw,cpu,cpuacct\n"
        ),
        directory: "/sys/fs/cgroup/cpu,cpuacct",
        unified: false,
    },
    System {
        name: "docker on v2, with a namespace of its own",
        cgroup: "0::/\n",
        mountinfo: others!(
            "737 736 0:26 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw,nsdelegate,memory_recursiveprot\n"
        ),
        directory: "/sys/fs/cgroup",
        unified: true,
    },
    System {
        name: "docker on v2, in the host's namespace",
        cgroup: "0::/system.slice/docker-4ab0.scope\n",
        mountinfo: others!(
            "737 736 0:26 /system.slice/docker-4ab0.scope /sys/fs/cgroup ro,nosuid master:4 - cgroup2 cgroup2 rw\n"
        ),
        directory: "/sys/fs/cgroup",
        unified: true,
    },
    System {
        name: "a user's session under systemd",
        cgroup: "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-kitty-2219.scope\n",
        mountinfo: others!(
            "31 24 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
        ),
        directory: "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-kitty-2219.scope",
        unified: true,
    },
    System {
        name: "a pod of Kubernetes on v1",
        cgroup: "8:cpuacct,cpu:/kubepods/burstable/pod2f/c1d2\n3:memory:/kubepods/burstable/pod2f/c1d2\n",
        mountinfo: others!(
            "2210 2205 0:33 /kubepods/burstable/pod2f/c1d2 /sys/fs/cgroup/cpu,cpuacct ro master:16 - cgroup cgroup rw,cpu,cpuacct\n"
        ),
        directory: "/sys/fs/cgroup/cpu,cpuacct",
        unified: false,
    },
    System {
        name: "a pod of Kubernetes on v2, the node's groups mounted",
        cgroup: "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod2f.slice/cri-containerd-c1d2.scope\n",
        mountinfo: others!("2210 2205 0:26 / /host/sys/fs/cgroup ro - cgroup2 cgroup rw\n"),
        directory: "/host/sys/fs/cgroup/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod2f.slice/cri-containerd-c1d2.scope",
        unified: true,
    },
    System {
        name: "v1 and v2 side by side, the controller in v1",
        cgroup: "2:cpuacct:/\n1:cpu:/\n0::/unified/group\n",
        mountinfo: others!(
            "38 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n\
             33 31 0:30 / /sys/fs/cgroup/cpuacct rw - cgroup cgroup rw,cpuacct\n\
             32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
        ),
        directory: "/sys/fs/cgroup/cpu",
        unified: false,
    },
    System {
        name: "v1 and v2 side by side, the controller in v2",
        cgroup: "1:name=systemd:/init\n2:cpuset,cpuacct:/init\n0::/init\n",
        mountinfo: others!(
            "32 31 0:29 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset,cpuacct\n\
             38 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
        ),
        directory: "/sys/fs/cgroup/unified/init",
        unified: true,
    },
    System {
        name: "escapes, which only mountinfo has",
        cgroup: "0::/a b/system-systemd\\x2dfsck.slice/c:d\n",
        mountinfo: others!(
            "31 24 0:26 /a\\040b /mnt/with\\040space\\134and\\011tab rw - cgroup2 none rw\n"
        ),
        directory: "/mnt/with space\\and\ttab/system-systemd\\x2dfsck.slice/c:d",
        unified: true,
    },
    System {
        name: "several mounts: the first that shows our group",
        cgroup: "0::/a/b/c\n",
        mountinfo: others!(
            "41 24 0:26 /a/bb /mnt/1 rw - cgroup2 none rw\n\
             42 24 0:26 /a/b/c/d /mnt/2 rw - cgroup2 none rw\n\
             43 24 0:26 /.. /mnt/3 rw - cgroup2 none rw\n\
             44 24 0:26 /a/b /mnt/4 rw - cgroup2 none rw\n\
             45 24 0:26 / /mnt/5 rw - cgroup2 none rw\n"
        ),
        directory: "/mnt/4/c",
        unified: true,
    },
    System {
        name: "a group above the namespace's root",
        cgroup: "0::/../../init\n",
        mountinfo: others!(
            "41 24 0:26 / /mnt/1 rw - cgroup2 none rw\n\
             42 24 0:26 /.. /mnt/2 rw - cgroup2 none rw\n\
             43 24 0:26 /../.. /mnt/3 rw - cgroup2 none rw\n"
        ),
        directory: "/mnt/3/init",
        unified: true,
    },
    System {
        name: "a group whose name starts with two dots",
        cgroup: "0::/..init\n",
        mountinfo: others!("41 24 0:26 / /mnt rw - cgroup2 none rw\n"),
        directory: "/mnt/..init",
        unified: true,
    },
];
