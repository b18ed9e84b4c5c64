/* known_patterns.h - every pattern that has vector code, by the tokenizer that it is of. */
#ifndef KNOWN_PATTERNS_H
#define KNOWN_PATTERNS_H

/* clang-format off */
static const char *const known_patterns[] = {
    /* gpt2 */
    "'s|'t|'re|'ve|'m|'ll|'d| \?\\p{L}+| \?\\p{N}+| \?[^\\s\\p{L}\\p{N}]+|\\s+(\?!\\S)|\\s+",
    /* gpt2 as tiktoken has it */
    "'(\?:[sdmt]|ll|ve|re)| \?\\p{L}++| \?\\p{N}++| \?[^\\s\\p{L}\\p{N}]++|\\s++$|\\s+(\?!\\S)|\\s",
    /* cl100k as tiktoken has it */
    "'(\?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]\?+\\p{L}++|\\p{N}{1,3}+| \?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|\\s+(\?!\\S)|\\s",
    /* cl100k as tiktoken had it */
    "'(\?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]\?+\\p{L}+|\\p{N}{1,3}| \?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(\?!\\S)|\\s+",
    /* llama3 */
    "(\?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]\?\\p{L}+|\\p{N}{1,3}| \?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(\?!\\S)|\\s+",
    /* qwen2 */
    "(\?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]\?\\p{L}+|\\p{N}| \?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(\?!\\S)|\\s+",
    /* o200k */
    "[^\\r\\n\\p{L}\\p{N}]\?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(\?i:'s|'t|'re|'ve|'m|'ll|'d)\?|[^\\r\\n\\p{L}\\p{N}]\?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(\?i:'s|'t|'re|'ve|'m|'ll|'d)\?|\\p{N}{1,3}| \?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(\?!\\S)|\\s+",
    /* tekken */
    "[^\\r\\n\\p{L}\\p{N}]\?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]\?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}| \?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(\?!\\S)|\\s+",
    /* kimi */
    "[\\p{Han}]+|[^\\r\\n\\p{L}\\p{N}]\?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]+(\?i:'s|'t|'re|'ve|'m|'ll|'d)\?|[^\\r\\n\\p{L}\\p{N}]\?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]*(\?i:'s|'t|'re|'ve|'m|'ll|'d)\?|\\p{N}{1,3}| \?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(\?!\\S)|\\s+",
};
/* clang-format on */

#define N_KNOWN_PATTERNS (sizeof known_patterns / sizeof known_patterns[0])

#endif
