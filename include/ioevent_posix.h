/*
 * libioevent_posix: ioevent pipes by the plain names of the C library. See ioevent_posix(7).
 */
#ifndef IOEVENT_POSIX_H
#define IOEVENT_POSIX_H

#ifdef __cplusplus
extern "C" {
#endif

/**
 * 1 if read, write, close and the other plain names are libioevent's in this process, 0 if they are not: when another
 * library has them before it. Any thread. A program that may also run without the library declares it weak, and compares
 * it with NULL. ioevent_posix(7).
 */
int ioevent_posix_active(void);

#ifdef __cplusplus
}
#endif

#endif
