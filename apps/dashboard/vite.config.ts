import { defineConfig } from 'vite';

export default defineConfig({
  // The page and its files are found below whatever path a proxy serves them at.
  base: './',
  build: {
    target: 'es2023',
    // Everything is a file of its own, so that the policy of the page can forbid inline scripts, styles and `data:`.
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
    emptyOutDir: true,
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  // `npm run dev`: the page from here, the gateway behind it.
  server: { proxy: { '/v1': { target: 'http://127.0.0.1:4590', ws: true, changeOrigin: true } } },
});
