/*
 * Reads of a register (reads=register): what was used from one read to the next.
 *
 * A difference is a reading only where two reads of a meter's channel follow each other in the
 * file, forward or backward in time, one interval apart: then it is right whatever else the file
 * lacks. Everything else opens the series anew and is counted. The state is the last read of each
 * series, so that a job which continues has it again when it has passed over what was imported
 * before, and where batches end means nothing.
 */
#include "reader_internal.h"

#include <apr_hash.h>
#include <apr_strings.h>

#define NAMED_MAX 5 /* falls that are told one by one */

typedef struct read_t {
    apr_int64_t at; /* UTC */
    ecl_decimal_t value;
    char flag;
} read_t;

struct ecl_registers_t {
    apr_hash_t *last; /* read_t by meter and channel */
    apr_int64_t first, gaps, repeats, falls, untold;
    const char *named; /* falls, as they are told */
};

void ecl_registers_open(ecl_reader_t *reader)
{
    reader->registers = apr_pcalloc(reader->pool, sizeof(*reader->registers));
    reader->registers->last = apr_hash_make(reader->pool);
    reader->registers->named = "";
}

/* NULL: there are too many. *pis_new: it holds nothing yet. */
static read_t *find(ecl_reader_t *reader, const char *channel, int *pis_new)
{
    ecl_registers_t *registers = reader->registers;
    char key[ECL_METER_MAX + 16];
    apr_ssize_t length =
        (apr_ssize_t)apr_snprintf(key, sizeof(key), "%s\n%s", reader->meter, channel);
    read_t *last = apr_hash_get(registers->last, key, length);

    *pis_new = !last;
    if (!last && apr_hash_count(registers->last) < ECL_REGISTERS_MAX) {
        last = apr_pcalloc(reader->pool, sizeof(*last));
        apr_hash_set(registers->last, apr_pmemdup(reader->pool, key, (apr_size_t)length), length,
                     last);
    }
    return last;
}

static void note_fall(ecl_reader_t *reader, const read_t *from, const read_t *to)
{
    ecl_registers_t *registers = reader->registers;
    char high[ECL_DECIMAL_TEXT], low[ECL_DECIMAL_TEXT];

    if (registers->falls++ >= NAMED_MAX) {
        return;
    }
    ecl_decimal_print(from->value, high);
    ecl_decimal_print(to->value, low);
    registers->named = apr_psprintf(
        reader->pool, "%s%smeter %s, line %" APR_INT64_T_FMT ", from %s to %s", registers->named,
        registers->falls > 1 ? "; " : "", reader->meter, reader->record.line, high, low);
}

static char flag_of(const read_t *from, const read_t *to)
{
    return from->flag == ECL_FLAG_ESTIMATED ? from->flag : to->flag;
}

ecl_outcome_t ecl_registers_add(ecl_reader_t *reader, const char *channel, int interval,
                                apr_int64_t *pat, ecl_decimal_t *pvalue, char *pflag)
{
    const read_t now = {*pat, *pvalue, *pflag};
    ecl_registers_t *registers = reader->registers;
    const read_t *from, *to;
    int is_new;
    read_t *last = find(reader, channel, &is_new), before;

    if (!last) {
        registers->untold++;
        return ECL_OUTCOME_SKIPPED;
    }
    before = *last;
    *last = now;
    from = before.at < now.at ? &before : &now;
    to = from == &now ? &before : &now;
    if (is_new || before.at == now.at || to->at - from->at != (apr_int64_t)interval * 60) {
        *(is_new                ? &registers->first
          : before.at == now.at ? &registers->repeats
                                : &registers->gaps) += 1;
        return ECL_OUTCOME_SKIPPED;
    }
    if (to->value < from->value || !ecl_decimal_add(to->value, -from->value, pvalue)) {
        note_fall(reader, from, to);
        return ECL_OUTCOME_SKIPPED;
    }
    *pat = from->at;
    *pflag = flag_of(from, to);
    return ECL_OUTCOME_TAKEN;
}

static void tell_limit(ecl_reader_t *reader)
{
    ecl_reader_warn(reader, "register-limit",
                    "%" APR_INT64_T_FMT " reads were left out: the file has more than the %d "
                    "meters and channels whose reads are followed; split it by meters",
                    reader->registers->untold, ECL_REGISTERS_MAX);
}

void ecl_registers_tell(ecl_reader_t *reader)
{
    const ecl_registers_t *registers = reader->registers;

    ecl_reader_warn(reader, "register",
                    "values were taken as reads of a register, and what it moved from one to the "
                    "next as the readings; %" APR_INT64_T_FMT " reads that a meter's series begins "
                    "with give none",
                    registers->first);
    if (registers->gaps) {
        ecl_reader_warn(reader, "register-gaps",
                        "%" APR_INT64_T_FMT " reads are not one interval from the read before "
                        "them: what was used in between is known only as a whole, and is left out",
                        registers->gaps);
    }
    if (registers->repeats) {
        ecl_reader_warn(reader, "register-repeats",
                        "%" APR_INT64_T_FMT " reads are of the same time as the read before them: "
                        "the later one counts",
                        registers->repeats);
    }
    if (registers->falls) {
        ecl_reader_warn(reader, "register-falls",
                        "reads fall %" APR_INT64_T_FMT " times, where a register began anew or a "
                        "meter was exchanged: no reading was made there (%s%s)",
                        registers->falls, registers->named,
                        registers->falls > NAMED_MAX ? "; …" : "");
    }
    if (registers->untold) {
        tell_limit(reader);
    }
}
