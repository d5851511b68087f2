import { Entity, stringifyEntityRef } from '@backstage/catalog-model';
import {
  coreApis,
  useApi,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import { useEntity } from '@backstage/plugin-catalog-react';
import { usePermission } from '@backstage/plugin-permission-react';
import {
  deadLetterRedeliverPermission,
  servicesOf,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { Suspense, lazy } from 'react';
import { useHasEnvironment } from '../../hooks/useEnvironment';
import { deadLetterTranslationRef } from '../../translation';

const RedeliverDialog = lazy(() =>
  import('./RedeliverDialog').then(view => ({ default: view.RedeliverDialog })),
);

/** Whether an entity is one service. Of several, each is redelivered on the tab. */
export function isOneService(entity: Entity): boolean {
  return (
    entity.kind.toLowerCase() === 'component' && servicesOf(entity).length === 1
  );
}

/** In the menu of a component: plans to redeliver all that is dead of its service. */
export function useRedeliverItem() {
  const { entity } = useEntity();
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const dialogs = useApi(coreApis.dialog);
  const hasEnvironment = useHasEnvironment();
  const { allowed } = usePermission({
    permission: deadLetterRedeliverPermission,
    resourceRef: stringifyEntityRef(entity),
  });
  const [service] = servicesOf(entity);
  return {
    title: t('catalog.menu'),
    disabled: !allowed || !hasEnvironment,
    onClick: () => {
      dialogs.open(({ dialog }) => (
        <Suspense fallback={null}>
          <RedeliverDialog service={service} dialog={dialog} />
        </Suspense>
      ));
    },
  };
}
