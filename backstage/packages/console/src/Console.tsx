import { ApiProvider } from '@backstage/core-app-api';
import { ApiHolder, coreApis } from '@backstage/frontend-plugin-api';
import { permissionApiRef } from '@backstage/plugin-permission-react';
import { BUIProvider } from '@backstage/ui';
import {
  ProxiedDeadLetter,
  deadLetterApiRef,
} from '@dead-letter/backstage-plugin-dead-letter/src/console';
import { useMemo, useSyncExternalStore } from 'react';
import { BrowserRouter, useLocation, useNavigate } from 'react-router-dom';
import { components } from './apis/components';
import { permissions } from './apis/permissions';
import { routes } from './apis/routes';
import { Toasts, toasts } from './apis/toasts';
import { translations } from './apis/translations';
import { PAGES } from './pages';
import { Session } from './session/Session';
import { SignIn } from './session/SignIn';
import { askMe } from './session/useMe';
import { Shell } from './shell/Shell';

/** The console: the plugin's pages without Backstage. */
export function Console({ session }: { session: Session }) {
  const signIn = useSyncExternalStore(session.subscribe, () => session.signIn);
  const apis = useMemo(() => apisOf(session), [session]);
  if (signIn) return <SignIn session={session} reason={signIn} />;
  return (
    <ApiProvider apis={apis}>
      <BrowserRouter
        future={{ v7_startTransition: true, v7_relativeSplatPath: true }}
      >
        <BUIProvider useNavigation={useNavigation}>
          <Shell session={session} />
          <Toasts />
        </BUIProvider>
      </BrowserRouter>
    </ApiProvider>
  );
}

/** What the plugin asks of Backstage, answered without it. */
function apisOf(session: Session): ApiHolder {
  const api = new ProxiedDeadLetter(
    [
      {
        name: 'default',
        title: session.settings.title ?? 'dead-letter',
        proxyPath: '',
      },
    ],
    {
      discoveryApi: { getBaseUrl: async () => '' },
      fetchApi: { fetch: session.fetch },
    },
  );
  const all = new Map<string, unknown>([
    [deadLetterApiRef.id, api],
    [permissionApiRef.id, permissions(() => askMe(session))],
    [coreApis.routeResolution.id, routes(PAGES)],
    [coreApis.translation.id, translations()],
    [coreApis.toast.id, toasts],
    [coreApis.internal.swappableComponents.id, components],
    [coreApis.error.id, { post: reportError, error$: () => ({}) }],
  ]);
  return { get: ref => all.get(ref.id) as any };
}

/** It is served at the root, so addresses are as they are written. */
function useNavigation() {
  const navigate = useNavigate();
  const { pathname } = useLocation();
  return useMemo(
    () => ({ navigate, createHref: (href: string) => href, pathname }),
    [navigate, pathname],
  );
}
