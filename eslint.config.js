/**
 * ESLint holds the two rules that need the compiler's types; Biome does all else. Biome's own noFloatingPromises does
 * not see a promise whose type comes from a package: `sleep(…)`, `condition(…)` and every proxied activity pass it, which
 * are the ones that matter in workflow code (`test/architecture/promises.long.test.ts` keeps the cases).
 */
import tseslint from 'typescript-eslint';

export default [
  { ignores: ['dist/', 'bench/', 'test/projects/', 'examples/{ai-sdk,langchain,openai-agents,pinecone}/'] },
  {
    files: ['**/*.ts'],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
    },
  },
];
