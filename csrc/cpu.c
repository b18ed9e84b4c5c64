#include "cpu.h"

ctok_cpu ctok_cpu_best(void)
{
#if CPU_HAS_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("bmi2")) {
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

#if CPU_HAS_X86
/* What the first processors with AVX-512 lack; all later ones have both. */
static bool cpu_has_vbmi(void)
{
    return __builtin_cpu_supports("avx512vbmi") &&
           __builtin_cpu_supports("avx512vbmi2");
}
#endif

static ctok_cpu cpu_tier(ctok_cpu wanted)
{
    ctok_cpu best = ctok_cpu_best();
    return wanted == CTOK_CPU_BEST || wanted > best ? best : wanted;
}

bpe_many cpu_merger(ctok_cpu tier)
{
#if CPU_HAS_X86
    if (cpu_tier(tier) >= CTOK_CPU_AVX2) {
        return bpe_many_avx2;
    }
#endif
    (void)tier;
    return bpe_many_portable;
}

transcode_function cpu_transcoder(ctok_cpu tier)
{
#if CPU_HAS_X86
    ctok_cpu best = cpu_tier(tier);

    if (best == CTOK_CPU_AVX512 && cpu_has_vbmi()) {
        return transcode_avx512;
    }
    if (best >= CTOK_CPU_AVX2) {
        return transcode_avx2;
    }
#endif
    (void)tier;
    return transcode_plain;
}

checksum_function cpu_summer(ctok_cpu tier)
{
#if CPU_HAS_X86
    if (cpu_tier(tier) >= CTOK_CPU_AVX2) {
        return checksum_avx2;
    }
#endif
    (void)tier;
    return checksum_plain;
}

scan_function cpu_scanner(ctok_cpu tier, scan_family family)
{
#if CPU_HAS_X86
    /* The first processors with AVX-512 run it slower than AVX2. Who asks for a tier by name gets
     * it. */
    if (tier == CTOK_CPU_BEST && cpu_tier(tier) == CTOK_CPU_AVX512 && !cpu_has_vbmi()) {
        return scan_avx2_of(family);
    }
#endif
    switch (cpu_tier(tier)) {
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
