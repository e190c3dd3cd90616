# gort's gdb script.
