module.exports = require('@backstage/cli/config/eslint-factory')(__dirname, {
  overrides: [
    {
      // What tests stand on is no part of the package.
      files: ['src/testing/**'],
      rules: {
        '@backstage/no-undeclared-imports': 'off',
        'jest/no-standalone-expect': 'off',
        'no-restricted-imports': 'off',
      },
    },
  ],
});
