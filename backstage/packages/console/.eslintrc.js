module.exports = require('@backstage/cli/config/eslint-factory')(__dirname, {
  rules: {
    // The console is made of the plugin's own modules. They are bundled by their folders, so the plugin is not to be installed with it.
    '@backstage/no-forbidden-package-imports': 'off',
    '@backstage/no-undeclared-imports': 'off',
  },
});
