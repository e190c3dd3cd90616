/*
 * For the debugger alone; none of it is loaded into memory.
 *
 *   - DWARF that gives the runtime's variables the names and types that Go's
 *     have: rustc describes them by their Rust paths and their atomic types,
 *     but a student who has read about `ncpu` types `p ncpu`. Each variable
 *     stands here twice, as `ncpu` and as `runtime.ncpu`.
 *   - gort's gdb script.
 */
        .intel_syntax noprefix

#define DW_TAG_compile_unit 0x11
#define DW_TAG_base_type 0x24
#define DW_TAG_variable 0x34
#define DW_AT_location 0x02
#define DW_AT_name 0x03
#define DW_AT_byte_size 0x0b
#define DW_AT_language 0x13
#define DW_AT_encoding 0x3e
#define DW_AT_external 0x3f
#define DW_AT_type 0x49
#define DW_FORM_data1 0x0b
#define DW_FORM_string 0x08
#define DW_FORM_ref4 0x13
#define DW_FORM_exprloc 0x18
#define DW_FORM_flag_present 0x19
#define DW_OP_addr 0x03
#define DW_LANG_C99 0x0c
#define DW_ATE_boolean 2
#define DW_ATE_signed 5
#define DW_ATE_unsigned 7

        .section .debug_abbrev, "", @progbits
.Labbrevs:
        .uleb128 1, DW_TAG_compile_unit
        .byte   1                       /* has children */
        .uleb128 DW_AT_name, DW_FORM_string, DW_AT_language, DW_FORM_data1, 0, 0
        .uleb128 2, DW_TAG_base_type
        .byte   0
        .uleb128 DW_AT_name, DW_FORM_string, DW_AT_byte_size, DW_FORM_data1
        .uleb128 DW_AT_encoding, DW_FORM_data1, 0, 0
        .uleb128 3, DW_TAG_variable
        .byte   0
        .uleb128 DW_AT_name, DW_FORM_string, DW_AT_type, DW_FORM_ref4
        .uleb128 DW_AT_external, DW_FORM_flag_present
        .uleb128 DW_AT_location, DW_FORM_exprloc, 0, 0
        .byte   0

        .macro  base_type label, name, size, encoding
.L\label:
        .uleb128 2
        .asciz  "\name"
        .byte   \size, \encoding
        .endm

        .macro  variable_named symbol, name, type
        .uleb128 3
        .asciz  "\name"
        .long   .L\type - .Lunit
        .uleb128 9
        .byte   DW_OP_addr
        .quad   \symbol
        .endm

        .macro  variable name, type
        variable_named runtime.\name, \name, \type
        variable_named runtime.\name, runtime.\name, \type
        .endm

        .section .debug_info, "", @progbits
.Lunit:
        .long   .Lunit_end - .Lversion
.Lversion:
        .value  4                       /* DWARF 4 */
        .long   .Labbrevs
        .byte   8                       /* an address's size */
        .uleb128 1
        .asciz  "the runtime's variables, under Go's names"
        .byte   DW_LANG_C99
        base_type bool, bool, 1, DW_ATE_boolean
        base_type int32, int32, 4, DW_ATE_signed
        base_type uint32, uint32, 4, DW_ATE_unsigned
        base_type uintptr, uintptr, 8, DW_ATE_unsigned
        variable ncpu, int32
        variable gomaxprocs, int32
        variable physPageSize, uintptr
        variable physHugePageSize, uintptr
        variable isIntel, bool
        variable lfenceBeforeRdtsc, bool
        variable processorVersionInfo, uint32
        .byte   0
.Lunit_end:

        .section .debug_gdb_scripts, "MS", @progbits, 1
        .byte   4                       /* Python, as text */
        .ascii  "gort-gdb.py\n"
        .incbin "gdb/gort-gdb.py"
        .byte   0

        .section .note.GNU-stack, "", @progbits
