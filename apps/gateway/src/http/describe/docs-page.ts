import type { JsonSchema } from './operation.ts';

/** Escapes text for HTML, in elements and in attributes. */
function escaped(text: unknown): string {
  return String(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Escapes a description and shows what is between backticks as code. */
function prose(text: unknown): string {
  return escaped(text ?? '').replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}

const json = (value: unknown): string =>
  `<pre tabindex="0"><code>${escaped(JSON.stringify(value, null, 2))}</code></pre>`;

type Tree = { readonly [name: string]: Tree };

/** Reads a description, whose parts all are objects. */
const tree = (value: unknown): Tree => (value ?? {}) as Tree;
const entries = (value: unknown): readonly (readonly [string, Tree])[] => Object.entries(tree(value));

/** Returns a short text for a schema, with links to the named ones. */
function typeOf(schema: Tree): string {
  const reference = schema['$ref'] as unknown as string | undefined;
  if (reference !== undefined) {
    const name = escaped(reference.split('/').at(-1));
    return `<a href="#schema-${name}">${name}</a>`;
  }
  const forms = schema['anyOf'] as unknown as readonly Tree[] | undefined;
  if (forms !== undefined) return forms.map(typeOf).join(' or ');
  const values = schema['enum'] as unknown as readonly unknown[] | undefined;
  if (values !== undefined)
    return values.map((value) => `<code>${escaped(JSON.stringify(value))}</code>`).join(' ');
  if ('const' in schema) return `<code>${escaped(JSON.stringify(schema['const']))}</code>`;
  if (schema['items'] !== undefined) return `list of ${typeOf(schema['items'])}`;
  return escaped(schema['type'] ?? 'any JSON');
}

function members(schema: Tree): string {
  const required = (schema['required'] ?? []) as unknown as readonly string[];
  const rows = entries(schema['properties']).map(([name, member]) => {
    const mark = required.includes(name) ? '' : ' <small>optional</small>';
    return `<tr><td><code>${escaped(name)}</code>${mark}</td><td>${typeOf(member)}</td><td>${prose(member['description'])}</td></tr>`;
  });
  if (rows.length === 0) return `<p>${typeOf(schema)}</p>`;
  return table(['member', 'type', 'meaning'], rows);
}

function table(heads: readonly string[], rows: readonly string[]): string {
  const head = heads.map((name) => `<th scope="col">${name}</th>`).join('');
  return `<div class="wide" tabindex="0" role="region" aria-label="${heads.join(', ')}"><table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

function content(value: unknown): string {
  return entries(value)
    .map(([type, { schema, example }]) => {
      const shown =
        example === undefined
          ? ''
          : type.endsWith('json')
            ? json(example)
            : `<pre tabindex="0"><code>${escaped(example)}</code></pre>`;
      return `<p><code>${escaped(type)}</code></p>${members(tree(schema))}${shown}`;
    })
    .join('');
}

function httpOperation(path: string, method: string, operation: Tree): string {
  const id = escaped(operation['operationId']);
  const parameters = ((operation['parameters'] ?? []) as unknown as readonly Tree[]).map(
    (one) =>
      `<tr><td><code>${escaped(one['name'])}</code> <small>${escaped(one['in'])}${one['required'] ? '' : ', optional'}</small></td><td>${typeOf(tree(one['schema']))}</td><td>${prose(one['description'])}</td></tr>`,
  );
  const responses = entries(operation['responses']).map(
    ([status, response]) =>
      `<tr><td><code>${status}</code></td><td>${prose(response['description'])}</td></tr>`,
  );
  const success = entries(operation['responses']).find(([status]) => status.startsWith('2'));
  return `<section id="http-${id}"><h4>${id}</h4>
<p><code><b>${method.toUpperCase()}</b> ${escaped(path)}</code></p>
<p>${prose(operation['summary'])} ${prose(operation['description'])}</p>
${parameters.length > 0 ? table(['parameter', 'type', 'meaning'], parameters) : ''}
${operation['requestBody'] === undefined ? '' : `<h5>Body</h5>${content(operation['requestBody']['content'])}`}
<h5>Answers</h5>${table(['status', 'for'], responses)}
${success === undefined ? '' : content(success[1]['content'])}</section>`;
}

function socketMessage(name: string, message: Tree): string {
  const { properties } = tree(message['payload']);
  const shown = tree(properties)['params'] ?? tree(properties)['result'];
  const examples = message['examples'] as unknown as readonly Tree[] | undefined;
  return `<section id="ws-${escaped(name)}"><h4>${escaped(name)}</h4>
<p>${prose(message['summary'])}</p>
${shown === undefined ? '' : members(tree(shown))}
${examples?.[0] === undefined ? '' : json(examples[0]['payload'])}</section>`;
}

/**
 * Writes the descriptions as one page, which needs neither scripts nor other files than its stylesheet.
 *
 * @param base - the path in front of all paths, such as `/gater`; empty at the root
 */
export function docsPage(openApi: JsonSchema, asyncApi: JsonSchema, base: string): string {
  const http = tree(openApi);
  const socket = tree(asyncApi);
  const operations = entries(http['paths']).flatMap(([path, item]) =>
    entries(item).map(([method, operation]) => ({ path, method, operation })),
  );
  const messages = entries(tree(socket['components'])['messages']);
  const schemas = entries({
    ...tree(tree(socket['components'])['schemas']),
    ...tree(tree(http['components'])['schemas']),
  });
  const closeCodes = (tree(tree(socket['channels'])['gateway'])['x-close-codes'] ??
    []) as unknown as readonly Tree[];
  const link = (prefix: string, name: unknown): string =>
    `<li><a href="#${prefix}-${escaped(name)}">${escaped(name)}</a></li>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>esdb-gater: the protocol</title>
<link rel="stylesheet" href="${base}/docs/style.css">
</head>
<body>
<header><h1>esdb-gater</h1>
<p>Version ${escaped(tree(http['info'])['version'])}. For programs: <a href="${base}/openapi.json">OpenAPI</a>, <a href="${base}/asyncapi.json">AsyncAPI</a>.</p></header>
<nav aria-label="Contents">
<h2>HTTP</h2><ul>${operations.map(({ operation }) => link('http', operation['operationId'])).join('')}</ul>
<h2>WebSocket</h2><ul>${messages
    .filter(([name]) => !name.endsWith('.result'))
    .map(([name]) => link('ws', name))
    .join('')}</ul>
<h2>Data</h2><ul>${schemas.map(([name]) => link('schema', name)).join('')}</ul>
</nav>
<main>
<h2>HTTP</h2>
<p>${prose(tree(http['info'])['description'])}</p>
${entries(
  Object.fromEntries(
    ((http['tags'] ?? []) as unknown as readonly Tree[]).map((tag) => [String(tag['name']), tag]),
  ),
)
  .map(
    ([tag, { description }]) => `<h3>${escaped(tag)}</h3><p>${prose(description)}</p>
${operations
  .filter(({ operation }) => (operation['tags'] as unknown as readonly string[]).includes(tag))
  .map(({ path, method, operation }) => httpOperation(path, method, operation))
  .join('')}`,
  )
  .join('')}
<h2>WebSocket</h2>
<p>${prose(tree(socket['info'])['description'])}</p>
<h3>Close codes</h3>
${table(
  ['code', 'why'],
  closeCodes.map(
    (one) => `<tr><td><code>${escaped(one['code'])}</code></td><td>${prose(one['description'])}</td></tr>`,
  ),
)}
<h3>Messages</h3>
${messages.map(([name, message]) => socketMessage(name, message)).join('')}
<h2>Data</h2>
${schemas
  .map(
    ([name, schema]) =>
      `<section id="schema-${escaped(name)}"><h4>${escaped(name)}</h4><p>${prose(schema['description'])}</p>${members(schema)}</section>`,
  )
  .join('')}
</main>
</body>
</html>
`;
}

/** The look of the page: readable lines, both colour schemes, wide tables that scroll by themselves. */
export const DOCS_STYLE = `:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--line:#d5dae0;--soft:#f4f6f8;--link:#0a58b0}
@media (prefers-color-scheme:dark){:root{--ink:#e4e8ec;--paper:#14171a;--line:#39414a;--soft:#1e2328;--link:#7db4ff}}
*{box-sizing:border-box}
html{scroll-behavior:auto}
body{margin:0;padding:0 1.25rem 4rem;font:1rem/1.55 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
header,main{max-width:56rem}
nav{max-width:56rem;columns:14rem}
nav h2{font-size:1rem;margin:0 0 .25rem}
nav ul{margin:0 0 1rem;padding:0;list-style:none}
nav li{padding:.15rem 0}
a{color:var(--link)}
h2{margin-top:3rem}
h3{margin-top:2.5rem}
section{padding-top:1rem;border-top:1px solid var(--line);margin-top:1.5rem}
h4{font-size:1.125rem;margin:0}
h5{font-size:.9rem;margin:1rem 0 .25rem}
code,pre{font:.875em/1.5 ui-monospace,monospace}
pre{padding:.75rem;background:var(--soft);overflow:auto;border-radius:.375rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.4rem .75rem .4rem 0;border-bottom:1px solid var(--line)}
small{opacity:.8}
:target{outline:2px solid var(--link);outline-offset:.5rem}
@media (min-width:84rem){nav{position:fixed;right:0;top:0;bottom:0;width:18rem;overflow:auto;columns:auto;padding:1.5rem 1rem;border-left:1px solid var(--line)}}
`;
