import { defineConfig } from "vite";

// Relative addresses, so that the app works under any path; nothing is inlined, for the
// Content-Security-Policy allows neither data: addresses nor inline scripts.
export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../rootward_dashboard/static/app",
    emptyOutDir: true,
    manifest: "manifest.json",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    chunkSizeWarningLimit: 600,
    rolldownOptions: { input: ["src/main.tsx", "src/theme.ts"] },
  },
});
