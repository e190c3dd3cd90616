"""Stops on each instruction of the assembly that the program comes by, and
looks whether a backtrace from there goes through to a root.

For gdb -batch, gort's script loaded. Prints a line for each place from which it
does not, and at the end, for each routine, how many of its instructions were
tried of how many there are.
"""

import collections
import re

import gdb

# The debugger's descriptions have no code.
FILES = [
    "rt0_linux_amd64.S",
    "asm_amd64.S",
    "switch_amd64.S",
    "stack_amd64.S",
    "preempt_amd64.S",
    "sys_linux_amd64.S",
    "memmove_amd64.S",
]

# Where a stack may begin: the entry's way, a goroutine's and a thread's first
# frame, and the routine that leaves g0's for good.
ROOTS = {
    "_rt0_amd64_linux",
    "_rt0_amd64",
    "runtime.rt0_common",
    "runtime.goexit",
    "runtime.clone",
    "runtime.gogo",
    "runtime.gogo_ended",
}

# Routines that leave a stack in their middle, and are a root there and nowhere else: on
# their way to it, and when they are back, they have a caller.
SWITCHES = {"runtime.mcall", "runtime.gosave_gogo", "runtime.Gosched"}

# Who alone calls a routine, where a frame too many or too few would not show
# otherwise.
CALLERS = {"runtime.morestack": "runtime.newstack"}

# What a routine preserves for its caller.
PRESERVED = ["rbx", "rbp", "rsp", "r12", "r13", "r14", "r15"]

# How often an instruction is tried, with different callers if it has them.
TRIES = 2

# What gdb says when it loses its way.
LOST = re.compile(r"Backtrace stopped|corrupt|Cannot access|\?\?|<error")


def main():
    gdb.execute("set pagination off")
    gdb.execute("handle SIGSEGV nostop noprint pass")
    everything = [address for file in FILES for address in instructions(file)]
    # gdb 13 stumbles when it steps over a breakpoint on clone's system call.
    clone = [address for address in everything if routine(address) == "runtime.clone"]
    calls = [address for address in clone if disassemble(address)["asm"].startswith("syscall")]
    unbreakable = calls[:1]
    breakpoints = {}
    for address in everything:
        if address not in unbreakable:
            breakpoints[address] = gdb.Breakpoint(f"*{address:#x}", internal=True)
            breakpoints[address].silent = True

    # The last stop. To see a program with several threads end is too much for
    # gdb: one of them may be gone while it looks at it.
    gdb.execute("catch syscall exit_group", to_string=True)
    tried = collections.Counter()
    gdb.execute("run", to_string=True)
    while gdb.newest_frame().pc() in breakpoints:
        address = gdb.newest_frame().pc()
        look(address)
        tried[address] += 1
        if tried[address] == TRIES:
            breakpoints[address].delete()
        if following(address) in unbreakable:
            gdb.execute("stepi", to_string=True)
            look(gdb.newest_frame().pc())
            tried[following(address)] += 1
        gdb.execute("continue", to_string=True)
    gdb.execute("kill", to_string=True)

    counts = collections.defaultdict(lambda: [0, 0])
    for address in everything:
        count = counts[routine(address)]
        count[0] += address in tried
        count[1] += 1
    for name, (done, there) in sorted(counts.items()):
        print(f"{name}: {done} of {there}")


def instructions(file):
    """Returns the addresses of a file's instructions. Lines tell where pieces of
    code begin, the functions where they end."""
    starts = set()
    try:
        _, places = gdb.decode_line(f"{file}:1")
    except gdb.error:  # none of it is in this program
        return []
    for place in places or ():
        starts |= {entry.pc for entry in place.symtab.linetable() if entry.line > 0}
    found = set()
    for start in starts:
        name = routine(start)
        address = start
        while address not in found and routine(address) == name:
            found.add(address)
            address = following(address)
    return sorted(found)


def following(address):
    """Returns the address of the next instruction."""
    return address + disassemble(address)["length"]


def disassemble(address):
    """Returns the instruction at an address."""
    return gdb.selected_inferior().architecture().disassemble(address)[0]


def routine(address):
    """Names the routine at an address."""
    text = gdb.execute(f"with print demangle off -- info symbol {address:#x}", to_string=True)
    name = re.match(r"([\w.]+)(?: \+ \d+)? in section \.text", text)
    if name and name[1] == "__morestack":  # there are two, each in the middle of a routine
        return f"__morestack of {gdb.find_pc_line(address).symtab.filename}"
    return name[1] if name else "?"


def look(address):
    """Prints a complaint unless the backtrace from here is whole."""
    try:
        text = gdb.execute("bt", to_string=True)
    except gdb.error as error:
        text = f"{error} <error"
    last = text.strip().splitlines()[-1]
    root = re.match(r"#\d+ +(?:0x[0-9a-f]+ in )?([\w.]+) \(", last)
    if LOST.search(text) or root is None or not is_root(root[1]):
        print(f"LOST at {address:#x}, {routine(address)}:\n{text}")
    caller = re.search(r"^#1 .* in ([\w.]+) \(", text, re.MULTILINE)
    within = re.match(r"#0 +(?:0x[0-9a-f]+ in )?([\w.]+) \(", text)
    if within and within[1] in CALLERS:
        if caller is None or caller[1] != CALLERS[within[1]]:
            print(f"LOST at {address:#x}: not called by {CALLERS[within[1]]}:\n{text}")
        look_at_registers(address, within[1])


def is_root(name):
    """Tells whether the outermost frame, of that name, is one that has no caller."""
    if name not in SWITCHES:
        return name in ROOTS
    frame = gdb.newest_frame()
    while frame.older() is not None:
        frame = frame.older()
    return frame.pc() in switched(name)


def switched(name):
    """Returns where a routine is between two stacks: from the instruction behind the
    one that loads rsp to the nop before the place where it goes on."""
    address = int(gdb.parse_and_eval(f"(long) &'{name}'"))
    start = None
    while True:
        text = disassemble(address)["asm"]
        address += disassemble(address)["length"]
        if start is None and re.match(r"mov\s+[^,]*\(%\w+\),%rsp$", text):
            start = address
        if start is not None and re.match(r"nop\b", text):
            return range(start, address)


# What each routine's caller had in its registers when it called: the last call
# whose first instruction was stopped at.
at_entry = {}


def look_at_registers(address, name):
    """Prints a complaint unless the CFI finds what the caller had in its registers."""
    caller = gdb.newest_frame().older()
    values = {register: int(caller.read_register(register)) for register in PRESERVED}
    if address == int(gdb.parse_and_eval(f"(long) &'{name}'")):
        at_entry[name] = values
    called = at_entry.get(name, values)
    if called["rsp"] == values["rsp"] and called != values:  # else another call, of a recursion
        print(f"LOST at {address:#x}, {name}: registers\n{called}\n{values}")


main()
