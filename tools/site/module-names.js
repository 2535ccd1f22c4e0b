// A plugin of TypeDoc that names the modules as programs import them: `packages/app/src/sqlite` is `@esdb-gater/app/sqlite`.
import { Converter } from 'typedoc';

const MODULE = /^(?:packages|apps)\/([\w-]+)\/src(?:\/([\w-]+))?$/;

/** Adds the plugin. TypeDoc calls this by its name. */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.children ?? []) {
      const [, name, entry] = MODULE.exec(module.name) ?? [];
      if (name === undefined) throw new Error(`the module ${module.name} must be an entry of a package`);
      const scope = name === 'create-esdb-gater' ? [] : ['@esdb-gater'];
      module.name = [...scope, name, ...(entry === undefined ? [] : [entry])].join('/');
    }
  });
}
