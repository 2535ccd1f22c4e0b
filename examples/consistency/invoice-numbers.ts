// Invoice numbers without gaps: the number and the invoice are written at once, or neither is.
import { type Gater, GaterError } from '@esdb-gater/client';

/** How often a number is taken anew because another invoice was faster. */
const ATTEMPTS = 50;

/**
 * Issues an invoice under the next number of its year, from 1. The numbers of a year are a stream, whose version says which number is
 * next; the invoice has a stream of its own.
 *
 * @throws `wrong_expected_version` when the invoice exists already, or after 50 attempts
 */
export async function issueInvoice(
  gater: Gater,
  storeId: string,
  { year, invoiceId, total }: { readonly year: number; readonly invoiceId: string; readonly total: number },
): Promise<number> {
  const numbers = `invoice-numbers-${year}`;
  const invoice = `invoice-${invoiceId}`;
  for (let attempt = 1; ; attempt += 1) {
    const { version } = await gater.getVersion({ storeId, streamId: numbers });
    const number = version + 2;
    try {
      await gater.appendToStreams({
        storeId,
        appends: [
          {
            streamId: numbers,
            expectedVersion: version,
            events: [{ type: 'number_used', data: { number, invoiceId } }],
          },
          {
            streamId: invoice,
            expectedVersion: -1,
            events: [{ type: 'invoice_issued', data: { number, total } }],
          },
        ],
      });
      return number;
    } catch (error) {
      const taken = GaterError.is(error, 'wrong_expected_version') && error.details.streamId === numbers;
      if (!taken || attempt === ATTEMPTS) throw error;
    }
  }
}
