#include "cpu.h"

ctok_cpu ctok_cpu_best(void)
{
#if CPU_HAS_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("bmi2")) {
        return CTOK_CPU_AVX512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) {
        return CTOK_CPU_AVX2;
    }
#elif CPU_HAS_NEON
    return CTOK_CPU_NEON;
#endif
    return CTOK_CPU_PORTABLE;
}

scan_function cpu_scanner(ctok_cpu tier)
{
    ctok_cpu best = ctok_cpu_best();

    if (tier == CTOK_CPU_BEST || tier > best) {
        tier = best;
    }
    switch (tier) {
#if CPU_HAS_X86
    case CTOK_CPU_AVX512:
        return scan_avx512;
    case CTOK_CPU_AVX2:
        return scan_avx2;
#elif CPU_HAS_NEON
    case CTOK_CPU_NEON:
        return scan_neon;
#endif
    default:
        return NULL;
    }
}
