"""What functions are called: the runtime's by the names that they are linked by, which
are Go's; and which functions are the runtime's."""

import re

import gdb

from gort import structs

GO = re.compile(r"runtime\.|main\.main$|_rt0_amd64")
RUNTIME = re.compile(r"runtime\.|_rt0_|__morestack|<?&?(gort|core|alloc|rustix|lock_api|spin)::|\?\?")

# What gdb makes of a name that the symbol table alone knows: Rust's has a hash behind it,
# and Go's it takes for Ada's, `runtime[settls]`.
HASH = re.compile(r"::h[0-9a-f]{16}\b")
ADA = re.compile(r"(\w+)\[(.+)\]$")

# The last part of a name.
BARE = re.compile(r"[^:_][^:<]*(<.*)?$")

# The functions at a pc; see functions_at. And what whole_name has found.
FUNCTIONS = {}
WHOLE = {}


def linkage_name(frame):
    """Returns Go's name of a frame's function, if it has one."""
    symbol = frame.function()
    if symbol is not None:
        return go_name(symbol)
    return renamed(plain(frame.name() or ""), frame.find_sal())


def frame_name(frame):
    """Returns the name under which a frame is shown."""
    symbol = frame.function()
    known = whole_name(symbol) if symbol is not None else None
    return linkage_name(frame) or known or plain(frame.name() or "??")


def plain(name):
    """Returns a name of the symbol table as it was before gdb took it for something."""
    return ADA.sub(r"\1.\2", HASH.sub("", name))


def go_name(symbol):
    """Returns Go's name of a function, if it has one."""
    return renamed(whole_name(symbol) or symbol.linkage_name, symbol)


def whole_name(symbol_):
    """Returns the linker's name of a function of which rustc has left the last part alone, as
    it does with `debug = "line-tables-only"`; None of another, and where there is none, as
    of one that was inlined."""
    if BARE.match(symbol_.name) is None:
        return None
    key = symbol_.name, symbol_.line, symbol_.symtab.filename if symbol_.symtab else ""
    if key not in WHOLE:
        WHOLE[key] = entry_name(symbol_)
    return WHOLE[key]


def entry_name(symbol_):
    try:
        address = symbol_.value().address
        name, _, offset = symbol(int(address)).partition(" + ") if address else ("", "", "")
    except gdb.error:
        return None
    return None if offset else name or None


def renamed(name, source):
    """Returns a name if it is one of Go's; `source` has the file that it is from."""
    if name == "__morestack":  # the middle of a routine; see asm/switch_amd64.S
        file = source.symtab.filename if source.symtab else ""
        return "runtime.morestack" if file.endswith("stack_amd64.S") else "runtime.systemstack"
    return name if name and GO.match(name) else None


def is_runtime(name):
    """Tells whether a function belongs to gort or to what it is made of."""
    return RUNTIME.match(name) is not None


def functions_at(pc):
    """Returns the function at an address and before it those that are inlined there,
    innermost first: each its name, and the first " at FILE:LINE"; of those around it no
    more is known than the file."""
    pc &= (1 << 64) - 1
    found = FUNCTIONS.get(pc)
    if found is None:
        found = FUNCTIONS[pc] = list(look_up(pc))
    return found


def look_up(pc):
    block = gdb.block_for_pc(pc)
    sal = gdb.find_pc_line(pc)
    where = line(sal)
    named = False
    while block is not None and not named:
        symbol = block.function
        if symbol is not None:
            file = symbol.symtab.filename if symbol.symtab else ""
            if not where.startswith(f" at {file}:"):
                where = f" in {file}" if file else ""
            yield (go_name(symbol) or whole_name(symbol) or symbol.name), where
            where = ""
            named = not is_inlined(block)
        block = block.superblock
    if not named:
        yield minimal_name(pc), where


def line(sal):
    """Says where in the source something is, if that is known."""
    return f" at {sal.symtab.filename}:{sal.line}" if sal.symtab else ""


def is_inlined(block):
    """Tells whether a function's block lies inside of another function's."""
    outer = block.superblock
    while outer is not None and not outer.is_static and not outer.is_global:
        if outer.function is not None:
            return True
        outer = outer.superblock
    return False


def minimal_name(pc):
    """Names a function that only the symbol table knows."""
    name = symbol(pc).partition(" + ")[0]
    return renamed(name, gdb.find_pc_line(pc)) or name or "??"


def symbol(address):
    """Returns the symbol at an address with what is to be added, or ""."""
    text = gdb.execute(f"info symbol {address}", to_string=True)
    if text.startswith("No symbol"):
        return ""
    name, plus, rest = text.partition(" in section")[0].strip().partition(" + ")
    return plain(name) + plus + rest


def forget(_event=None):
    """Forgets the functions: there is another program."""
    FUNCTIONS.clear()
    WHOLE.clear()


gdb.events.new_objfile.connect(forget)
gdb.events.clear_objfiles.connect(forget)
