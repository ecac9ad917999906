/// Small C functions for what Swift cannot call: variadic functions, and system calls that its Glibc module lacks.
#ifndef CLINUX_H
#define CLINUX_H

#endif
