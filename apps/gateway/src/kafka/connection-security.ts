import type { KafkaBrokerOptions } from '@esdb-gater/broker-kafka';
import { readSettingFile } from '../config/read-setting-file.ts';
import type { GatewayConfig } from '../config/types.ts';

/** More than any list of certificates has. */
const MAX_PEM_BYTES = 1_048_576;

/**
 * Reads how connections to Kafka are protected.
 *
 * @throws `invalid_argument` (reason `configuration`) that names the setting of a file that cannot be read
 */
export function connectionSecurity({
  ssl,
  sasl,
}: GatewayConfig['kafka']): Pick<KafkaBrokerOptions, 'tls' | 'sasl'> {
  const { mechanism, username, password } = sasl;
  return {
    ...(ssl.enabled
      ? {
          tls: {
            ...pem('ca', 'kafka.ssl.caFile', ssl.caFile),
            ...pem('cert', 'kafka.ssl.certFile', ssl.certFile),
            ...pem('key', 'kafka.ssl.keyFile', ssl.keyFile),
          },
        }
      : {}),
    ...(mechanism !== null && username !== null && password !== null
      ? { sasl: { mechanism, username, password } }
      : {}),
  };
}

function pem<N extends string>(
  name: N,
  setting: string,
  file: string | null,
): { readonly [K in N]?: string } {
  if (file === null) return {};
  return { [name]: readSettingFile(setting, file, MAX_PEM_BYTES) } as { readonly [K in N]: string };
}
