import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const noAccident = [{ object: 'Math', property: 'random', message: 'Pass a seeded Random (protocol/random.ts).' }];

export default defineConfig(
  {
    ignores: [
      'node_modules',
      '.native',
      '.webgl',
      '.backbone',
      '.python',
      'runs',
      'results',
      'eslint.config.js',
      '**/*kernel/',
    ],
  },
  tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'no-restricted-properties': ['error', ...noAccident],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // Mocha's describe and it return nothing to wait for; interfaces are async where one implementation is.
      '@typescript-eslint/require-await': 'off',
    },
  },
);
