// The entry of the file for pages without a bundler: the connection and its keys. Bundlers take what they need from `browser.ts`.
export {
  ANY_VERSION,
  connect,
  GaterError,
  generateIdentity,
  identityOfKeys,
  NO_STREAM,
  STREAM_EXISTS,
} from './browser.ts';
