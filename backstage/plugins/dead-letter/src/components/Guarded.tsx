import { Entity, stringifyEntityRef } from '@backstage/catalog-model';
import {
  Progress,
  useApi,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import { usePermission } from '@backstage/plugin-permission-react';
import { Alert } from '@backstage/ui';
import { deadLetterReadPermission } from '@dead-letter/backstage-plugin-dead-letter-common';
import { PropsWithChildren } from 'react';
import { deadLetterApiRef } from '../api/DeadLetterApi';
import { deadLetterTranslationRef } from '../translation';
import { Answers } from './Answers';
import styles from './readable.module.css';

/** A view, once there is an environment to ask, and whoever looks may see what this entity has. */
export function Guarded({
  entity,
  children,
}: PropsWithChildren<{ entity?: Entity }>) {
  const { environments } = useApi(deadLetterApiRef);
  const { t } = useTranslationRef(deadLetterTranslationRef);
  if (environments.length === 0) {
    return (
      <Alert
        status="info"
        icon
        title={t('common.unconfigured')}
        description={t('common.unconfiguredDetail')}
      />
    );
  }
  return (
    <Answers>
      <div className={styles.readable}>
        {entity ? <Allowed entity={entity}>{children}</Allowed> : children}
      </div>
    </Answers>
  );
}

function Allowed({ entity, children }: PropsWithChildren<{ entity: Entity }>) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { loading, allowed } = usePermission({
    permission: deadLetterReadPermission,
    resourceRef: stringifyEntityRef(entity),
  });
  if (loading) return <Progress />;
  if (allowed) return <>{children}</>;
  return (
    <Alert
      status="warning"
      icon
      title={t('common.denied')}
      description={t('common.deniedDetail')}
    />
  );
}
