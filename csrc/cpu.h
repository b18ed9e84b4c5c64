/* cpu.h - which vector code this machine can run. The only file that chooses. */
#ifndef CTOK_CPU_H
#define CTOK_CPU_H

#include "base.h"
#include "bpe.h"
#include "checksum.h"
#include "scan.h"
#include "transcode.h"

#if (defined(__x86_64__) || defined(_M_X64)) &&                                        \
    (defined(__GNUC__) || defined(__clang__))
#define CPU_HAS_X86 1
#else
#define CPU_HAS_X86 0
#endif
#if defined(__aarch64__) && defined(__ARM_NEON)
#define CPU_HAS_NEON 1
#else
#define CPU_HAS_NEON 0
#endif

/* The scanner of a family, by tier; NULL for the portable one, which is the automaton alone.
 * Tiers that this machine lacks give the best one it has. */
scan_function cpu_scanner(ctok_cpu tier, scan_family family);

/* What merges many short pieces, by tier. Never NULL. */
bpe_many cpu_merger(ctok_cpu tier);

/* What makes UTF-8 of other strings, by tier. Never NULL. */
transcode_function cpu_transcoder(ctok_cpu tier);

/* What sums lines, by tier. Never NULL, and all sum the same. */
checksum_function cpu_summer(ctok_cpu tier);

#endif
