# _ctok.pxd - ctok.h for Cython, in its order.
from libc.stdint cimport uint8_t, uint32_t, uint64_t


cdef extern from "ctok.h" nogil:
    ctypedef enum ctok_status:
        CTOK_OK
        CTOK_E_MEMORY
        CTOK_E_SPACE
        CTOK_E_LIMIT
        CTOK_E_ARGUMENT
        CTOK_E_UTF8
        CTOK_E_DUPLICATE
        CTOK_E_ID
        CTOK_E_RANK
        CTOK_E_SPECIAL
        CTOK_E_PATTERN
        CTOK_E_UNSUPPORTED
        CTOK_E_SPLIT
        CTOK_E_IMAGE

    ctypedef struct ctok_error:
        ctok_status code
        uint32_t id
        size_t position
        char message[240]

    ctypedef struct ctok_bytes:
        const uint8_t* ptr
        size_t len

    ctypedef struct ctok_range:
        size_t start
        size_t end

    ctypedef struct ctok_allocator:
        pass

    const char* CTOK_VERSION
    const char* CTOK_UNICODE_VERSION
    size_t CTOK_BLOCK_PIECES

    ctypedef struct ctok_split_block:
        size_t start
        uint32_t n_pieces
        uint32_t ends[256]

    ctypedef struct ctok_split_cursor:
        size_t position
        uint64_t work

    ctypedef struct ctok_splitter:
        const char* name
        void* self
        ctok_status (*next)(const void* self, void* state, ctok_bytes text,
                            ctok_split_cursor* cursor, ctok_split_block* block,
                            ctok_error* err) noexcept nogil
        void* (*state_new)(const void* self) noexcept nogil
        void (*state_free)(const void* self, void* state) noexcept nogil
        void (*free)(void* self) noexcept nogil
        size_t (*cut)(const void* self, ctok_bytes text, size_t at) noexcept nogil

    ctypedef enum ctok_cpu:
        CTOK_CPU_BEST
        CTOK_CPU_PORTABLE
        CTOK_CPU_NEON
        CTOK_CPU_AVX2
        CTOK_CPU_AVX512

    ctok_cpu ctok_cpu_used(ctok_cpu wanted)
    ctok_status ctok_splitter_compile(ctok_splitter* out, ctok_bytes pattern, ctok_cpu cpu,
                                      const ctok_allocator* alloc, ctok_error* err)
    void ctok_splitter_free(ctok_splitter* splitter)

    ctypedef struct ctok_builder:
        pass

    ctypedef struct ctok_model:
        pass

    ctok_status ctok_builder_new(ctok_builder** out, const ctok_allocator* alloc,
                                 ctok_error* err)
    void ctok_builder_free(ctok_builder* builder)
    ctok_status ctok_builder_add_tokens(ctok_builder* builder, ctok_bytes blob,
                                        const uint32_t* ends, const uint32_t* ids,
                                        size_t n_tokens, ctok_error* err)
    ctok_status ctok_builder_add_merges(ctok_builder* builder, const uint32_t* left,
                                        const uint32_t* right, const uint32_t* merged,
                                        size_t n_merges, ctok_error* err)
    ctok_status ctok_builder_add_special(ctok_builder* builder, ctok_bytes text,
                                         uint32_t id, ctok_error* err)
    ctok_status ctok_builder_set_splitter(ctok_builder* builder, ctok_splitter* splitter,
                                          ctok_error* err)
    int CTOK_BUILD_ALLOW_DUPLICATES
    int CTOK_BUILD_NO_WHOLE_PIECE
    ctok_status ctok_builder_set_flags(ctok_builder* builder, uint32_t flags,
                                       ctok_error* err)
    void ctok_builder_set_cpu(ctok_builder* builder, ctok_cpu cpu)
    ctok_status ctok_builder_finish(ctok_model** out, ctok_builder* builder,
                                    ctok_error* err)

    void ctok_model_free(ctok_model* model)

    ctypedef struct ctok_model_info:
        size_t n_tokens
        size_t n_specials
        size_t n_merges
        size_t n_bytes
        uint32_t max_id
        uint32_t max_token_len
        int is_proper
        const char* splitter

    void ctok_model_describe(const ctok_model* model, ctok_model_info* info)
    ctok_status ctok_model_token(const ctok_model* model, uint32_t id, ctok_bytes* out)
    ctok_status ctok_model_find(const ctok_model* model, ctok_bytes token, uint32_t* id)
    ctok_status ctok_model_merge(const ctok_model* model, ctok_bytes left,
                                 ctok_bytes right, uint32_t* rank, ctok_bytes* merged)

    size_t CTOK_FINGERPRINT_LEN
    size_t ctok_model_image_size(const ctok_model* model)
    ctok_status ctok_model_image_write(const ctok_model* model, const uint8_t* fingerprint,
                                       uint8_t* out, size_t cap, size_t* len,
                                       ctok_error* err)

    ctypedef struct ctok_image_options:
        const uint8_t* fingerprint
        ctok_splitter* splitter
        ctok_cpu cpu

    ctok_status ctok_model_from_image(ctok_model** out, ctok_bytes image,
                                      const ctok_image_options* options,
                                      const ctok_allocator* alloc, ctok_error* err)

    ctypedef struct ctok_scratch:
        pass

    size_t CTOK_CACHE_DEFAULT
    ctok_status ctok_scratch_new(ctok_scratch** out, size_t cache_bytes,
                                 const ctok_allocator* alloc, ctok_error* err)
    void ctok_scratch_free(ctok_scratch* scratch)

    ctypedef struct ctok_encode_options:
        const uint64_t* allowed
        const uint64_t* disallowed
        size_t max_ids
        int text_is_utf8

    ctypedef struct ctok_output:
        uint32_t* ids
        ctok_range* ranges
        size_t cap
        size_t n
        size_t consumed

    size_t ctok_encode_bound(const ctok_model* model, size_t text_len)
    ctok_status ctok_encode(const ctok_model* model, ctok_scratch* scratch,
                            ctok_bytes text, const ctok_encode_options* options,
                            ctok_output* out, ctok_error* err)
    size_t ctok_encode_cut(const ctok_model* model, ctok_bytes text, size_t at)

    ctypedef struct ctok_head:
        size_t len
        size_t n_ids

    ctok_status ctok_truncate(const ctok_model* model, ctok_scratch* scratch,
                              ctok_bytes text, size_t max_ids, ctok_head* out,
                              ctok_error* err)

    ctok_status ctok_encode_piece(const ctok_model* model, ctok_scratch* scratch,
                                  ctok_bytes piece, ctok_output* out, ctok_error* err)

    ctok_status ctok_decode_len(const ctok_model* model, const uint32_t* ids, size_t n_ids,
                                size_t* len, ctok_error* err)
    ctok_status ctok_decode(const ctok_model* model, const uint32_t* ids, size_t n_ids,
                            uint8_t* out, size_t cap, size_t* len, ctok_error* err)

    ctypedef struct ctok_class:
        uint32_t (*ranges)[2]
        size_t n_ranges

    ctok_status ctok_class_parse(ctok_class* out, ctok_bytes pattern, size_t position,
                                 int ignore_case, size_t* end, const ctok_allocator* alloc,
                                 ctok_error* err)
    void ctok_class_free(ctok_class* cls)

    size_t ctok_utf8_bound(size_t unit_size, size_t n_units)
    size_t ctok_utf8_from_units(const void* units, size_t unit_size, size_t n_units,
                                uint8_t* out, size_t* n_surrogates)
