/* Every pattern that has vector code is recognised, whatever way it is written, and nothing
 * near to one is. */
#include "check.h"
#include "known_patterns.h"

static const char *engine(const char *pattern, ctok_cpu cpu)
{
    static char name[240];
    ctok_splitter splitter;
    ctok_error err;
    ctok_bytes text;

    text.ptr = (const uint8_t *)pattern;
    text.len = strlen(pattern);
    if (ctok_splitter_compile(&splitter, text, cpu, NULL, &err) != CTOK_OK) {
        strcpy(name, err.message);
        return name;
    }
    strcpy(name, splitter.name);
    ctok_splitter_free(&splitter);
    return name;
}

/* clang-format off */
/* One change away from a known one. */
static const char *const unknown[] = {
    "'(\?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]\?+\\p{L}+|\\p{N}{1,4}| \?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(\?!\\S)|\\s+",
    "(\?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]\?\\p{L}+|\\p{N}{1,3}| \?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(\?=\\S)|\\s+",
    "'x|'t|'re|'ve|'m|'ll|'d| \?\\p{L}+| \?\\p{N}+| \?[^\\s\\p{L}\\p{N}]+|\\s+(\?!\\S)|\\s+",
    "[^\\r\\n\\p{L}\\p{N}]\?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(\?i:'s|'t|'re|'ve|'m|'ll|'d)\?|[^\\r\\n\\p{L}\\p{N}]\?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(\?i:'s|'t|'re|'ve|'m|'ll|'d)\?|\\p{N}{1,3}| \?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(\?!\\S)|\\s+",
    "(\?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\n\\p{L}\\p{N}]\?\\p{L}+|\\p{N}| \?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(\?!\\S)|\\s+",
};
/* clang-format on */

int main(void)
{
    const char *best =
        ctok_cpu_used(CTOK_CPU_BEST) == CTOK_CPU_PORTABLE ? "automaton" : "vector";
    size_t i;

    for (i = 0; i < N_KNOWN_PATTERNS; i++) {
        CHECK(strcmp(engine(known_patterns[i], CTOK_CPU_PORTABLE), "automaton") == 0);
        CHECK(strcmp(engine(known_patterns[i], CTOK_CPU_BEST), best) == 0);
    }
    for (i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        CHECK(strcmp(engine(unknown[i], CTOK_CPU_BEST), "automaton") == 0);
    }
    return CHECK_RESULT();
}
