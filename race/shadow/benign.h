/*
 * benign.h: ranges whose races the program has declared harmless (AnnotateBenignRace). Asked only when
 * a race was found; the declaration ends when the memory is freed or new.
 */
#ifndef GORO_RACE_BENIGN_H
#define GORO_RACE_BENIGN_H

#include "../race.h"

void benign_add(uintptr_t addr, size_t size);
bool benign_covers(uintptr_t granule, uint8_t mask); /* every byte of it */
void benign_forget(uintptr_t lo, uintptr_t hi);

#endif
