#include "class_names.h"

#include "error.h"

static ctok_status class_names_named(ctok_class *set, uchar_kind kind, const char *name,
                                     ctok_error *err)
{
    const uchar_name *found = uchar_find(kind, name, strlen(name));

    assert(found != NULL);
    return cpset_add_unicode(set, found->first_set, found->n_sets, err);
}

/* \w is what Unicode calls alphabetic, marks, decimal digits, connectors and joiners. */
static ctok_status class_names_word(ctok_class *set, ctok_error *err)
{
    TRY(class_names_named(set, UCHAR_BINARY, "alphabetic", err));
    TRY(class_names_named(set, UCHAR_CATEGORY, "m", err));
    TRY(class_names_named(set, UCHAR_CATEGORY, "nd", err));
    TRY(class_names_named(set, UCHAR_CATEGORY, "pc", err));
    return class_names_named(set, UCHAR_BINARY, "joincontrol", err);
}

ctok_status class_names_letter(ctok_class *set, uint8_t letter, ctok_error *err)
{
    switch (letter) {
    case 's':
        return class_names_named(set, UCHAR_BINARY, "whitespace", err);
    case 'd':
        return class_names_named(set, UCHAR_CATEGORY, "nd", err);
    case 'w':
        return class_names_word(set, err);
    default:
        return class_names_named(set, UCHAR_BINARY, "asciihexdigit", err);
    }
}

ctok_status class_names_borrowed(ctok_class *set, const char *name, bool *known,
                                 bool *invert, ctok_error *err)
{
    *known = true;
    *invert = false;
    if (strcmp(name, "alnum") == 0) {
        TRY(class_names_named(set, UCHAR_BINARY, "alphabetic", err));
        return class_names_named(set, UCHAR_CATEGORY, "nd", err);
    }
    if (strcmp(name, "blank") == 0) {
        TRY(cpset_add(set, '\t', '\t', err));
        return class_names_named(set, UCHAR_CATEGORY, "zs", err);
    }
    if (strcmp(name, "cntrl") == 0) {
        TRY(cpset_add(set, 0, 0x1F, err));
        return cpset_add(set, 0x7F, 0x9F, err);
    }
    if (strcmp(name, "word") == 0) {
        return class_names_word(set, err);
    }
    *invert = true;
    if (strcmp(name, "graph") == 0) {
        TRY(class_names_named(set, UCHAR_BINARY, "whitespace", err));
        return class_names_named(set, UCHAR_CATEGORY, "c", err);
    }
    if (strcmp(name, "print") == 0) {
        TRY(cpset_add(set, '\t', '\r', err));
        return class_names_named(set, UCHAR_CATEGORY, "c", err);
    }
    *known = false;
    *invert = false;
    return CTOK_OK;
}

/* "name" alone: a property, a category or a script, in this order. cf, sc and lc are also
 * short names of properties with values, and mean the categories here. */
static const uchar_name *class_names_bare(const char *name, size_t len)
{
    static const uchar_kind kinds[] = {UCHAR_BINARY, UCHAR_CATEGORY, UCHAR_SCRIPT};
    const uchar_name *found = NULL;

    for (size_t i = 0; found == NULL && i < sizeof kinds / sizeof *kinds; i++) {
        found = uchar_find(kinds[i], name, len);
    }
    return found;
}

ctok_status class_names_property(ctok_class *set, const char *text, size_t start,
                                 bool *invert, ctok_error *err)
{
    char name[CLASS_MAX_NAME];
    size_t name_len = strcspn(text, ":=");
    const char *value = NULL;
    const char *not_equal = strstr(text, "!=");
    const char *colon = strchr(text, ':');
    const uchar_name *found;
    uchar_kind kind;
    size_t len;

    if (not_equal != NULL) {
        name_len = (size_t)(not_equal - text);
        value = not_equal + 2;
        *invert = !*invert;
    } else if (text[name_len] != '\0') {
        /* A colon counts before an equals sign, wherever they are. */
        name_len = colon != NULL ? (size_t)(colon - text) : name_len;
        value = text + name_len + 1;
    }
    len = uchar_normalize(text, name_len, name);
    if (value == NULL) {
        found = class_names_bare(name, len);
    } else {
        found = uchar_find(UCHAR_VALUED, name, len);
        if (found != NULL) {
            kind = (uchar_kind)found->first_set;
            if (kind == UCHAR_NO_DATA) {
                return error_set_at(err, CTOK_E_UNSUPPORTED, start,
                                    "the property %.*s is not supported", (int)name_len,
                                    text);
            }
            len = uchar_normalize(value, strlen(value), name);
            found = uchar_find(kind, name, len);
        }
    }
    if (found == NULL) {
        return error_set_at(err, CTOK_E_PATTERN, start, "no Unicode property is '%s'",
                            text);
    }
    return cpset_add_unicode(set, found->first_set, found->n_sets, err);
}
