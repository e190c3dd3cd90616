/*
 * For the debugger alone; none of it is loaded into memory.
 *
 *   - DWARF that gives the runtime's variables and structs the names and types
 *     that Go's have: rustc describes them by their Rust paths, as atomics and
 *     cells, and in a release build not at all; but a student who has read about
 *     `ncpu` types `p ncpu`, or `p runtime.ncpu`, or `p runtime.g0.stack`.
 *   - gort's gdb script.
 */
#include "go_asm.h"

        .intel_syntax noprefix

#define DW_TAG_array_type 0x01
#define DW_TAG_enumeration_type 0x04
#define DW_TAG_member 0x0d
#define DW_TAG_pointer_type 0x0f
#define DW_TAG_compile_unit 0x11
#define DW_TAG_structure_type 0x13
#define DW_TAG_subrange_type 0x21
#define DW_TAG_base_type 0x24
#define DW_TAG_enumerator 0x28
#define DW_TAG_variable 0x34
#define DW_AT_location 0x02
#define DW_AT_name 0x03
#define DW_AT_byte_size 0x0b
#define DW_AT_language 0x13
#define DW_AT_const_value 0x1c
#define DW_AT_count 0x37
#define DW_AT_data_member_location 0x38
#define DW_AT_encoding 0x3e
#define DW_AT_type 0x49
#define DW_FORM_data4 0x06
#define DW_FORM_data8 0x07
#define DW_FORM_string 0x08
#define DW_FORM_data1 0x0b
#define DW_FORM_ref4 0x13
#define DW_FORM_exprloc 0x18
#define DW_OP_addr 0x03
#define DW_OP_const8s 0x0f
#define DW_OP_stack_value 0x9f
#define DW_LANG_C99 0x0c
#define DW_ATE_boolean 2
#define DW_ATE_signed 5
#define DW_ATE_unsigned 7

        /* How each kind of entry below is laid out. */
        .section .debug_abbrev, "", @progbits
        .macro  abbrev number, tag, children, attributes:vararg
        .uleb128 \number, \tag
        .byte   \children
        .uleb128 \attributes
        .uleb128 0, 0
        .endm
.Labbrevs:
        abbrev 1, DW_TAG_compile_unit, 1, DW_AT_name, DW_FORM_string, DW_AT_language, DW_FORM_data1
        abbrev 2, DW_TAG_base_type, 0, DW_AT_name, DW_FORM_string, DW_AT_byte_size, DW_FORM_data1, DW_AT_encoding, DW_FORM_data1
        /* no DW_AT_external: gdb looks into Rust's own modules for what is global, and everywhere for what is not */
        abbrev 3, DW_TAG_variable, 0, DW_AT_name, DW_FORM_string, DW_AT_type, DW_FORM_ref4, DW_AT_location, DW_FORM_exprloc
        abbrev 4, DW_TAG_structure_type, 1, DW_AT_name, DW_FORM_string, DW_AT_byte_size, DW_FORM_data4
        abbrev 5, DW_TAG_member, 0, DW_AT_name, DW_FORM_string, DW_AT_type, DW_FORM_ref4, DW_AT_data_member_location, DW_FORM_data8
        abbrev 6, DW_TAG_pointer_type, 0, DW_AT_type, DW_FORM_ref4
        abbrev 7, DW_TAG_enumeration_type, 1, DW_AT_name, DW_FORM_string, DW_AT_byte_size, DW_FORM_data1, DW_AT_type, DW_FORM_ref4
        abbrev 8, DW_TAG_enumerator, 0, DW_AT_name, DW_FORM_string, DW_AT_const_value, DW_FORM_data1
        abbrev 9, DW_TAG_array_type, 1, DW_AT_type, DW_FORM_ref4
        abbrev 10, DW_TAG_subrange_type, 0, DW_AT_type, DW_FORM_ref4, DW_AT_count, DW_FORM_data4
        .byte   0

        .macro  base_type label, size, encoding
.L\label:
        .uleb128 2
        .asciz  "\label"
        .byte   \size, \encoding
        .endm

        .macro  pointer_type label, type
.L\label:
        .uleb128 6
        .long   .L\type - .Lunit
        .endm

        .macro  array label, type, count
.L\label:
        .uleb128 9
        .long   .L\type - .Lunit
        .uleb128 10
        .long   .Luintptr - .Lunit      /* the type of an index */
        .long   \count
        .byte   0
        .endm

        .macro  enumeration label, type, size
.L\label:
        .uleb128 7
        .asciz  "runtime.\label"
        .byte   \size
        .long   .L\type - .Lunit
        .endm

        .macro  enumerator name, value
        .uleb128 8
        .asciz  "\name"
        .byte   \value
        .endm

        .macro  structure label, size
.L\label:
        .uleb128 4
        .asciz  "runtime.\label"
        .long   \size
        .endm

        .macro  member name, type, offset, base=0
        .uleb128 5
        .asciz  "\name"
        .long   .L\type - .Lunit
        .quad   \offset - \base
        .endm

        .macro  variable name, type
        .uleb128 3
        .asciz  "\name"
        .long   .L\type - .Lunit
        .uleb128 9
        .byte   DW_OP_addr
        .quad   runtime.\name
        .endm

        /* The same by its whole name, which C's language takes in quotes. */
        .macro  quoted name, type
        .uleb128 3
        .asciz  "runtime.\name"
        .long   .L\type - .Lunit
        .uleb128 9
        .byte   DW_OP_addr
        .quad   runtime.\name
        .endm

        /* The variables: `do variable` makes each a variable, `do quoted` another
           one, and `do global` a member of `runtime`, a struct as large as the
           program: so `p ncpu` and `p runtime.ncpu` work, in the language of C as
           in that of Rust, and C's `p 'runtime.ncpu'`. The struct does not begin
           at 0, which gdb takes for what the linker has dropped. */
#define PACKAGE 0x1000
        .macro  global name, type
        member  \name, \type, runtime.\name, PACKAGE
        .endm
        .macro  variables do
        \do     ncpu, int32
        \do     gomaxprocs, int32
        \do     physPageSize, uintptr
        \do     physHugePageSize, uintptr
        \do     isIntel, bool
        \do     lfenceBeforeRdtsc, bool
        \do     processorVersionInfo, uint32
        \do     g0, g
        \do     m0, m
        \do     allgs, slab
        \do     allp, pointer_pointer_p
        \do     sched, schedt
        .endm
        .weak   runtime.allgs

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
        base_type bool, 1, DW_ATE_boolean
        base_type int32, 4, DW_ATE_signed
        base_type int64, 8, DW_ATE_signed
        base_type uint8, 1, DW_ATE_unsigned
        base_type uint32, 4, DW_ATE_unsigned
        base_type uint64, 8, DW_ATE_unsigned
        base_type uintptr, 8, DW_ATE_unsigned
        pointer_type pointer_uint8, uint8
        pointer_type pointer_stringStruct, stringStruct
        pointer_type pointer_g, g
        pointer_type pointer_m, m
        pointer_type pointer_p, p
        pointer_type pointer_pointer_p, pointer_p
        pointer_type pointer_hchan, hchan
        pointer_type pointer_pointer_hchan, pointer_hchan
        pointer_type pointer_sudog, sudog
        pointer_type pointer_sleeper, sleeper
        pointer_type pointer_batch, batch
        pointer_type pointer_stktop, stktop
        pointer_type pointer_slab, slab
        array   tls, uintptr, 8
        array   live, uint64, SLAB_WORDS
        array   runq, pointer_g, RUNQ_SIZE
        array   queues, pointer_sleeper, 1
        array   gs, pointer_g, layout.batch.most

        enumeration gstatus, uint32, 4
        enumerator _Gidle, 0
        enumerator _Grunnable, 1
        enumerator _Grunning, 2
        enumerator _Gsyscall, 3
        enumerator _Gwaiting, 4
        enumerator _Gdead, 6
        .byte   0

        enumeration pstatus, uint32, 4
        enumerator _Pidle, 0
        enumerator _Prunning, 1
        enumerator _Psyscall, 2
        enumerator _Pgcstop, 3
        enumerator _Pdead, 4
        .byte   0

        structure stringStruct, 16      /* a `&str`, as rustc lays it out */
        member  str, pointer_uint8, 0
        member  len, uintptr, 8
        .byte   0

        structure stack, g_stack_size
        member  lo, uintptr, g_stack_lo, g_stack_lo
        member  hi, uintptr, g_stack_hi, g_stack_lo
        .byte   0

        structure stktop, stktop_size
        member  stack, stack, stktop_stack
        member  link, pointer_stktop, stktop_link
        .byte   0

        structure gobuf, gobuf_size
        member  sp, uintptr, gobuf_sp
        member  pc, uintptr, gobuf_pc
        member  g, pointer_g, gobuf_g
        member  ctxt, uintptr, gobuf_ctxt
        member  bp, uintptr, gobuf_bp
        .byte   0

        structure g, g_size
        member  stack, stack, g_stack_lo
        member  stackguard0, uintptr, g_stackguard0
        member  stackguard1, uintptr, g_stackguard1
        member  m, pointer_m, g_m
        member  sched, gobuf, g_sched
        member  atomicstatus, gstatus, g_atomicstatus
        member  locks, int32, g_locks
        member  preempt, bool, g_preempt
        member  waitreason, pointer_stringStruct, g_waitreason
        member  goid, uint64, g_goid
        member  parentGoid, uint64, g_parent_goid
        member  schedlink, pointer_g, g_schedlink
        member  turn, uint64, g_turn
        member  lockedm, pointer_m, g_lockedm
        member  waitsince, int64, g_waitsince
        member  waitlock, uintptr, g_waitlock
        member  startpc, uintptr, g_startpc
        member  gopc, uintptr, g_gopc
        member  stktop, pointer_stktop, g_stktop
        .byte   0

        enumeration slabLayout, uint32, 4
        enumerator slabLine, SLAB_LINE
        enumerator slabColours, SLAB_COLOURS
        .byte   0

        structure slab, slab_size
        member  next, pointer_slab, slab_next
        member  line, uintptr, slab_line
        member  stride, uintptr, slab_stride
        member  slots, uintptr, slab_slots
        member  live, live, slab_live
        .byte   0

        structure m, m_size
        member  g0, pointer_g, m_g0
        member  gsignal, pointer_g, m_gsignal
        member  procid, uint64, m_procid
        member  tls, tls, m_tls
        member  curg, pointer_g, m_curg
        member  p, pointer_p, m_p
        member  id, int64, m_id
        member  lockedg, pointer_g, m_lockedg
        member  alllink, pointer_m, m_alllink
        member  spinning, bool, m_spinning
        member  dying, int32, m_dying
        member  schedlink, pointer_m, m_schedlink
        .byte   0

        structure p, p_size
        member  id, int32, p_id
        member  status, pstatus, p_status
        member  syscalltick, uint32, p_syscalltick
        member  link, pointer_p, p_link
        member  schedtick, uint32, p_schedtick
        member  preempt, bool, p_preempt
        member  m, pointer_m, p_m
        member  gFree_n, uint32, p_gfree_n
        member  timers, uintptr, p_timers
        member  runqhead, uint32, p_runqhead
        member  runqtail, uint32, p_runqtail
        member  runnext, pointer_g, p_runnext
        member  runq, runq, p_runq
        .byte   0

        /* From here on types of which build.rs does not know: the linker has the
           numbers, from src/sched/layout.rs and src/channel/layout.rs. */
        structure batch, layout.batch.size_of
        member  older, pointer_batch, layout.batch.older
        member  begin, uintptr, layout.batch.begin
        member  end, uintptr, layout.batch.end
        member  gs, gs, layout.batch.gs
        .byte   0

        structure gQueue, layout.gqueue.size_of
        member  head, pointer_g, layout.gqueue.head
        member  newest, pointer_batch, layout.gqueue.newest
        member  size, uintptr, layout.gqueue.size
        .byte   0

        structure schedt, layout.sched.size_of
        member  goidgen, uint64, layout.sched.goidgen
        member  now, int64, layout.sched.now
        member  gcwaiting, bool, layout.sched.gcwaiting
        member  sysmonwait, bool, layout.sched.sysmonwait
        member  polling, bool, layout.sched.polling
        member  npidle, int32, layout.sched.npidle
        member  nmspinning, int32, layout.sched.nmspinning
        member  lock, uint32, layout.sched.lock
        member  runq, gQueue, layout.sched.runq
        member  gFree_n, uintptr, layout.sched.g_free
        member  pidle, pointer_p, layout.sched.pidle
        member  midle, pointer_m, layout.sched.midle
        member  nmidle, int32, layout.sched.nmidle
        member  nmidlelocked, int32, layout.sched.nmidlelocked
        member  nmsys, int32, layout.sched.nmsys
        member  nmfreed, int64, layout.sched.nmfreed
        member  mnext, int64, layout.sched.mnext
        member  maxmcount, int64, layout.sched.maxmcount
        member  allm, pointer_m, layout.sched.allm
        member  stopwait, int32, layout.sched.stopwait
        .byte   0

        structure waitq, layout.waitq.size_of
        member  first, pointer_sudog, layout.waitq.first
        .byte   0

        structure sudog, layout.sudog.size_of
        member  g, pointer_g, layout.sudog.gp
        member  next, pointer_sudog, layout.sudog.next
        .byte   0

        structure hchan, layout.hchan.size_of
        member  lock, uint32, layout.hchan.lock
        member  flags, uint8, layout.hchan.flags
        member  recvq, waitq, layout.hchan.recvq
        member  sendq, waitq, layout.hchan.sendq
        member  items, uintptr, layout.hchan.items
        member  room, uintptr, layout.hchan.room
        member  elemsize, uintptr, layout.hchan.size
        member  capacity, uintptr, layout.hchan.capacity
        member  recv_watch, waitq, layout.hchan.recv_watch
        member  send_watch, waitq, layout.hchan.send_watch
        member  elemtype, stringStruct, layout.hchan.elemtype
        .byte   0

        enumeration chanflags, uint8, 1
        enumerator chanClosed, layout.hchan.closed
        .byte   0

        enumeration lockword, uint32, 4         /* of a mutex or an rwlock */
        enumerator lockLocked, layout.lock.locked
        enumerator lockWaiters, layout.lock.waiters
        enumerator lockReader, layout.lock.reader
        .byte   0

        enumeration countword, uint32, 4        /* of a wait group; of a semaphore, bits */
        enumerator groupOne, layout.group.one
        enumerator semaphoreBits, layout.semaphore.bits
        .byte   0

        structure sharedchan, layout.shared.size_of     /* what a handle points to */
        member  chan, hchan, layout.shared.chan
        member  senders, uintptr, layout.shared.senders
        member  receivers, uintptr, layout.shared.receivers
        .byte   0

        structure selectlocks, layout.selectlocks.size_of
        member  first, pointer_pointer_hchan, layout.selectlocks.first
        member  count, uintptr, layout.selectlocks.count
        .byte   0

        structure waiter, layout.waiter.size_of
        member  g, pointer_g, layout.waiter.gp
        .byte   0

        structure sleeper, layout.sleeper.size_of
        member  waiter, waiter, layout.sleeper.waiter
        member  next, pointer_sleeper, layout.sleeper.next
        .byte   0

        structure sema, layout.sema.size_of
        member  word, uint32, layout.sema.word
        member  lock, uint32, layout.sema.lock
        member  queues, queues, layout.sema.queues      /* one, or more behind it */
        .byte   0

        structure timed, layout.timed.size_of
        member  g, pointer_g, layout.timed.gp
        member  lock, uintptr, layout.timed.lock
        member  deadline, int64, layout.timed.deadline
        .byte   0

        .uleb128 3                      /* where in the TLS image the slot of g is */
        .asciz  "tlsgOffset"
        .long   .Lint64 - .Lunit
        .uleb128 10
        .byte   DW_OP_const8s
        .quad   runtime.tlsg@dtpoff
        .byte   DW_OP_stack_value

        .uleb128 3                      /* the ELF header, as it lies in memory */
        .asciz  "ehdr"
        .long   .Lpointer_uint8 - .Lunit
        .uleb128 9
        .byte   DW_OP_addr
        .quad   runtime.ehdr
        .weak   runtime.ehdr

        variables variable
        variables quoted
        structure package, 0x7fffffff
        variables global
        .byte   0
        .uleb128 3                      /* a variable of that type */
        .asciz  "runtime"
        .long   .Lpackage - .Lunit
        .uleb128 9
        .byte   DW_OP_addr
        .quad   PACKAGE
        .byte   0
.Lunit_end:

        .section .debug_gdb_scripts, "MS", @progbits, 1
        .byte   4                       /* Python, as text */
        .incbin "gort-gdb.py"           /* build.rs makes one text of gdb/ */
        .byte   0

        .section .note.GNU-stack, "", @progbits
