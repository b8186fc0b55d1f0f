/* expat declares its protection against entity bombs for those who know that it was built with
 * DTDs, as every distribution's is */
#define XML_DTD
#include <expat.h>

#include "xml.h"

#define CHUNK_BYTES 65536

struct ecl_xml_t {
    XML_Parser parser;
    ecl_xml_handlers_t handlers;
    ecl_xml_read_t *read;
    void *read_baton;
    const char *what;
    apr_int64_t fed; /* bytes given to the parser */
    apr_int64_t at;  /* ecl_xml_offset as of when it had them all */
    int at_eof;
    int is_paused;
    int has_doctype;
    int in_cdata;
};

static const char *after_prefix(const char *name)
{
    /* most names have one letter */
    const char *colon = name[1] ? strchr(name, ':') : NULL;

    return colon && colon[1] ? colon + 1 : name;
}

static void on_start(void *data, const char *name, const char **attributes)
{
    ecl_xml_t *xml = data;

    if (xml->handlers.on_start) {
        xml->handlers.on_start(xml->handlers.baton, after_prefix(name), attributes);
    }
}

static void on_end(void *data, const char *name)
{
    ecl_xml_t *xml = data;

    if (xml->handlers.on_end) {
        xml->handlers.on_end(xml->handlers.baton, after_prefix(name));
    }
}

static void on_text(void *data, const char *text, int length)
{
    ecl_xml_t *xml = data;

    if (xml->handlers.on_text) {
        xml->handlers.on_text(xml->handlers.baton, text, (apr_size_t)length);
    }
}

static void on_start_cdata(void *data)
{
    ((ecl_xml_t *)data)->in_cdata = 1;
}

static void on_end_cdata(void *data)
{
    ((ecl_xml_t *)data)->in_cdata = 0;
}

static void on_doctype(void *data, const char *name, const char *system_id, const char *public_id,
                       int has_internal_subset)
{
    ecl_xml_t *xml = data;

    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_internal_subset;
    xml->has_doctype = 1;
    XML_StopParser(xml->parser, XML_FALSE);
}

static apr_status_t free_parser(void *parser)
{
    XML_ParserFree(parser);
    return APR_SUCCESS;
}

apr_status_t ecl_xml_open(ecl_xml_t **pxml, ecl_xml_read_t *read, void *read_baton,
                          const ecl_xml_handlers_t *handlers, const char *what, apr_pool_t *p,
                          ecl_result_t *result)
{
    ecl_xml_t *xml = apr_pcalloc(p, sizeof *xml);

    xml->parser = XML_ParserCreate(NULL);
    if (!xml->parser) {
        return ecl_fail(result, APR_ENOMEM, "no-memory", "no memory to read %s", what);
    }
    apr_pool_cleanup_register(p, xml->parser, free_parser, apr_pool_cleanup_null);
    xml->handlers = *handlers;
    xml->read = read;
    xml->read_baton = read_baton;
    xml->what = what;
    XML_SetUserData(xml->parser, xml);
    XML_SetElementHandler(xml->parser, on_start, on_end);
    XML_SetCharacterDataHandler(xml->parser, on_text);
    XML_SetCdataSectionHandler(xml->parser, on_start_cdata, on_end_cdata);
    XML_SetStartDoctypeDeclHandler(xml->parser, on_doctype);
    XML_SetParamEntityParsing(xml->parser, XML_PARAM_ENTITY_PARSING_NEVER);
    /* without declarations nothing can grow: this is the second lock on the same door */
    XML_SetBillionLaughsAttackProtectionMaximumAmplification(xml->parser, 2.0F);
    XML_SetBillionLaughsAttackProtectionActivationThreshold(xml->parser, 65536);
    *pxml = xml;
    return APR_SUCCESS;
}

static apr_status_t fail_bad(const ecl_xml_t *xml, ecl_result_t *result)
{
    if (xml->has_doctype) {
        return ecl_fail(result, ECL_EINPUT, "bad-xml",
                        "%s declares a document type (DOCTYPE), which no file of readings does: it "
                        "is not read",
                        xml->what);
    }
    return ecl_fail(result, ECL_EINPUT, "bad-xml", "%s is damaged: line %lu of its XML: %s",
                    xml->what, (unsigned long)XML_GetCurrentLineNumber(xml->parser),
                    XML_ErrorString(XML_GetErrorCode(xml->parser)));
}

/* Gives the parser the next bytes. */
static apr_status_t feed(ecl_xml_t *xml, enum XML_Status *pstatus, ecl_result_t *result)
{
    void *bytes = XML_GetBuffer(xml->parser, CHUNK_BYTES);
    apr_size_t length = CHUNK_BYTES;
    apr_status_t status;

    if (!bytes) {
        return ecl_fail(result, APR_ENOMEM, "no-memory", "no memory to read %s", xml->what);
    }
    status = xml->read(xml->read_baton, bytes, &length, result);
    if (APR_STATUS_IS_EOF(status)) {
        xml->at_eof = 1;
        length = 0;
    } else if (status != APR_SUCCESS) {
        return status;
    }
    xml->fed += (apr_int64_t)length;
    *pstatus = XML_ParseBuffer(xml->parser, (int)length, xml->at_eof);
    return APR_SUCCESS;
}

apr_status_t ecl_xml_next(ecl_xml_t *xml, ecl_result_t *result)
{
    for (;;) {
        enum XML_Status parsed = XML_STATUS_OK;
        apr_status_t status;

        if (xml->is_paused) {
            xml->is_paused = 0;
            parsed = XML_ResumeParser(xml->parser);
        } else if (xml->at_eof) {
            return APR_EOF;
        } else {
            status = feed(xml, &parsed, result);
            if (status != APR_SUCCESS) {
                return status;
            }
        }
        if (parsed == XML_STATUS_SUSPENDED) {
            return APR_SUCCESS;
        }
        if (parsed == XML_STATUS_ERROR) {
            return fail_bad(xml, result);
        }
        /* what the parser holds back is the beginning of a token; it forgets where, when it makes
         * room for more */
        xml->at = XML_GetCurrentByteIndex(xml->parser);
        xml->at = xml->at < 0 ? xml->fed : xml->at; /* there is no place before the first tag */
        if (xml->fed - ecl_xml_offset(xml) > ECL_XML_TOKEN_MAX) {
            return ecl_fail(result, ECL_EINPUT, "bad-xml",
                            "%s has a single tag or comment of more than %d bytes", xml->what,
                            ECL_XML_TOKEN_MAX);
        }
    }
}

void ecl_xml_is_utf8(ecl_xml_t *xml)
{
    XML_SetEncoding(xml->parser, "UTF-8");
}

void ecl_xml_pause(ecl_xml_t *xml)
{
    if (!xml->is_paused) {
        xml->is_paused = 1;
        XML_StopParser(xml->parser, XML_TRUE);
    }
}

apr_int64_t ecl_xml_offset(const ecl_xml_t *xml)
{
    XML_Index at = XML_GetCurrentByteIndex(xml->parser);

    return at < 0 ? xml->at : (apr_int64_t)at;
}

apr_int64_t ecl_xml_offset_after(const ecl_xml_t *xml)
{
    return ecl_xml_offset(xml) + XML_GetCurrentByteCount(xml->parser);
}

int ecl_xml_is_between_tokens(const ecl_xml_t *xml)
{
    return !xml->in_cdata && ecl_xml_offset(xml) == xml->fed;
}

apr_int64_t ecl_xml_line(const ecl_xml_t *xml)
{
    return (apr_int64_t)XML_GetCurrentLineNumber(xml->parser);
}

const char *ecl_xml_attribute(const char **attributes, const char *name)
{
    for (int i = 0; attributes[i]; i += 2) {
        if (!strcmp(attributes[i], name) || !strcmp(after_prefix(attributes[i]), name)) {
            return attributes[i + 1];
        }
    }
    return NULL;
}
