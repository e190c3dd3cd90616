"""The runtime's structs, by the types in asm/debug_amd64.S.

Those are there in all builds that are not stripped, and have Go's names and the true
offsets: nothing here knows a number. A struct is read as a whole, since there may be very
many of them: see Record.
"""

import gdb


class Missing(gdb.GdbError):
    """What gort's commands say where there is nothing for them."""


class Layout:
    """Where the fields of a struct are: `goid`, `sched.pc`."""

    def __init__(self, name):
        try:
            self.type = gdb.lookup_type(f"struct runtime.{name}")
        except gdb.error:
            raise Missing(NO_GORT) from None
        self.size = self.type.sizeof
        self.fields = {}
        self.add("", self.type, 0)

    def add(self, prefix, type_, base):
        for field in type_.fields():
            name = prefix + field.name
            at = base + field.bitpos // 8
            inner = field.type.strip_typedefs()
            if inner.code == gdb.TYPE_CODE_STRUCT:
                self.add(name + ".", inner, at)
            signed = inner.code == gdb.TYPE_CODE_INT and inner.is_signed
            self.fields[name] = at, inner.sizeof, signed

    def offset(self, field):
        """Returns where a field is."""
        return self.fields[field][0]

    def array(self, field):
        """Returns how many elements an array has, and how large each is."""
        type_ = self.type[field].type
        first, last = type_.range()
        return last - first + 1, type_.target().sizeof


class Record:
    """A struct as it was when it was read. Its fields are numbers: record["sched.pc"]."""

    __slots__ = ("layout", "address", "bytes")

    def __init__(self, name, address):
        self.layout = layout(name)
        self.address = address
        self.bytes = read(address, self.layout.size)

    def __getitem__(self, field):
        offset, size, signed = self.layout.fields[field]
        return int.from_bytes(self.bytes[offset : offset + size], "little", signed=signed)

    def elements(self, field):
        """Returns the numbers in an array."""
        count, size = self.layout.array(field)
        start = self.layout.offset(field)
        places = range(start, start + count * size, size)
        return [int.from_bytes(self.bytes[at : at + size], "little") for at in places]

    def value(self):
        """Returns it as gdb's value, to be printed."""
        return gdb.Value(self.address).cast(self.layout.type.pointer()).dereference()


NO_GORT = (
    "There is no gort in this program, or it was stripped: gdb needs the symbols and"
    " descriptions that `strip` removes."
)

# Until another program is loaded, or the same once more. The texts are constants.
LAYOUTS = {}
STATICS = {}
TEXTS = {}


def layout(name):
    """Returns a struct's layout."""
    found = LAYOUTS.get(name)
    if found is None:
        found = LAYOUTS[name] = Layout(name)
    return found


def static(name):
    """Returns a variable of the runtime's, as gdb's symbol, or None."""
    if name not in STATICS:
        STATICS[name] = gdb.lookup_static_symbol(name)
    return STATICS[name]


def variable(name):
    """Returns a variable of the runtime's as gdb's value."""
    symbol = static(name)
    if symbol is None:
        raise Missing(NO_GORT)
    return symbol.value()


def record(name, type_):
    """Reads a variable of the runtime's that is a struct."""
    return Record(type_, int(variable(name).address))


def names(enumeration, prefix):
    """Returns the words for the numbers of an enumeration: `_Grunnable` is "runnable"."""
    key = "enum " + enumeration
    if key not in LAYOUTS:
        fields = gdb.lookup_type(f"enum runtime.{enumeration}").fields()
        LAYOUTS[key] = {f.enumval: f.name.rpartition("::")[2][len(prefix) :] for f in fields}
    return LAYOUTS[key]


def read(address, size):
    """Reads memory; gdb.MemoryError if there is none."""
    return gdb.selected_inferior().read_memory(address, size).tobytes()


def word(address):
    """Reads a pointer."""
    return int.from_bytes(read(address, 8), "little")


def text(address):
    """Returns a constant string by the address of its pointer and length; "" if there is
    none."""
    found = TEXTS.get(address)
    if found is None:
        found = TEXTS[address] = read_text(address)
    return found


def read_text(address):
    try:
        pointer, length = word(address), word(address + 8)
        if length > 4096:
            return ""
        return read(pointer, length).decode("utf-8", "replace") if length else ""
    except (gdb.MemoryError, OverflowError):
        return ""


def forget(_event=None):
    """Forgets what was looked up: there is another program."""
    for found in (LAYOUTS, STATICS, TEXTS):
        found.clear()


gdb.events.new_objfile.connect(forget)
gdb.events.clear_objfiles.connect(forget)
