#include "cpu.h"

#if CPU_HAS_X86
#include <cpuid.h>
#endif

/* Each tier asks for all that its files are compiled for. Strings are made UTF-8 by what this says
 * now, so it is asked again and again. */
static ctok_cpu cpu_best(void)
{
#if CPU_HAS_X86
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi") ||
        !__builtin_cpu_supports("bmi2") || !__builtin_cpu_supports("popcnt")) {
        return CTOK_CPU_PORTABLE;
    }
    /* The first processors with AVX-512 lack VBMI, and run the rest slower than AVX2. */
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512vbmi") &&
        __builtin_cpu_supports("avx512vbmi2")) {
        return CTOK_CPU_AVX512;
    }
    return CTOK_CPU_AVX2;
#elif CPU_HAS_NEON
    return CTOK_CPU_NEON;
#else
    return CTOK_CPU_PORTABLE;
#endif
}

ctok_cpu ctok_cpu_used(ctok_cpu wanted)
{
    ctok_cpu best = cpu_best();
    bool is_of_another = CPU_HAS_X86 && wanted == CTOK_CPU_NEON;

    return wanted == CTOK_CPU_BEST || wanted > best || is_of_another ? best : wanted;
}

#if CPU_HAS_X86
/* Which bpe_many_avx2.c needs besides. Not all compilers know it by name, and asking the processor
 * takes it a microsecond. */
static bool cpu_has_lzcnt(void)
{
    unsigned a, b, c, d;

    return __get_cpuid(0x80000001, &a, &b, &c, &d) != 0 && (c & bit_LZCNT) != 0;
}
#endif

bpe_many cpu_merger(ctok_cpu tier)
{
#if CPU_HAS_X86
    if (ctok_cpu_used(tier) >= CTOK_CPU_AVX2 && cpu_has_lzcnt()) {
        return bpe_many_avx2;
    }
#endif
    (void)tier;
    return bpe_many_portable;
}

transcode_function cpu_transcoder(ctok_cpu tier)
{
    switch (ctok_cpu_used(tier)) {
#if CPU_HAS_X86
    case CTOK_CPU_AVX512:
        return transcode_avx512;
    case CTOK_CPU_AVX2:
        return transcode_avx2;
#endif
    default:
        return transcode_plain;
    }
}

checksum_function cpu_summer(ctok_cpu tier)
{
#if CPU_HAS_X86
    if (ctok_cpu_used(tier) >= CTOK_CPU_AVX2) {
        return checksum_avx2;
    }
#endif
    (void)tier;
    return checksum_plain;
}

scan_function cpu_scanner(ctok_cpu tier, scan_family family)
{
    switch (ctok_cpu_used(tier)) {
#if CPU_HAS_X86
    case CTOK_CPU_AVX512:
        return scan_avx512_of(family);
    case CTOK_CPU_AVX2:
        return scan_avx2_of(family);
#elif CPU_HAS_NEON
    case CTOK_CPU_NEON:
        return scan_neon_of(family);
#endif
    default:
        (void)family;
        return NULL;
    }
}
