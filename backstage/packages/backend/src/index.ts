import { createBackend } from '@backstage/backend-defaults';

const backend = createBackend();

// Serves the app, built before, on the backend's own address.
backend.add(import('@backstage/plugin-app-backend'));
backend.add(import('@backstage/plugin-proxy-backend'));
backend.add(import('@backstage/plugin-auth-backend'));
backend.add(import('@backstage/plugin-auth-backend-module-guest-provider'));
backend.add(import('@backstage/plugin-auth-backend-module-oidc-provider'));
backend.add(import('@backstage/plugin-catalog-backend'));
backend.add(import('@backstage/plugin-permission-backend'));
backend.add(import('./policy'));
backend.add(import('@backstage/plugin-search-backend'));
backend.add(import('@backstage-community/plugin-tech-insights-backend'));
backend.add(import('@dead-letter/backstage-plugin-dead-letter-backend'));
backend.add(
  import('@dead-letter/backstage-plugin-search-backend-module-dead-letter'),
);
backend.add(
  import(
    '@dead-letter/backstage-plugin-tech-insights-backend-module-dead-letter'
  ),
);

backend.start();
