/** What a project can begin with. */
export const TEMPLATES = {
  embedded: 'stores in the process of the application, without a server',
  gateway: 'an application with a gateway for other programs',
  worker: 'an application that connects to a running gateway',
} as const;

export type Template = keyof typeof TEMPLATES;

export function isTemplate(name: string): name is Template {
  return Object.hasOwn(TEMPLATES, name);
}
