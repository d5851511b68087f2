import { createApp } from '@backstage/frontend-defaults';
import {
  configApiRef,
  createFrontendModule,
  useApi,
} from '@backstage/frontend-plugin-api';
import { ProxiedSignInPage, SignInPage } from '@backstage/core-components';
import {
  SignInPageProps,
  SignInPageBlueprint,
} from '@backstage/plugin-app-react';
import { oidcApi, oidcAuthApiRef } from './oidc';

/** Whoever opens the demo is a guest, unless users are to sign in. */
function DemoSignIn(props: SignInPageProps) {
  const config = useApi(configApiRef);
  if (config.getOptionalString('app.signIn') !== 'oidc') {
    return <ProxiedSignInPage {...props} provider="guest" />;
  }
  return (
    <SignInPage
      {...props}
      provider={{
        id: 'oidc',
        title: 'Demo Bank',
        message: 'Sign in as one of the users of the demo',
        apiRef: oidcAuthApiRef,
      }}
    />
  );
}

const signIn = createFrontendModule({
  pluginId: 'app',
  extensions: [
    oidcApi,
    SignInPageBlueprint.make({ params: { loader: async () => DemoSignIn } }),
  ],
});

export const app = createApp({ features: [signIn] });
