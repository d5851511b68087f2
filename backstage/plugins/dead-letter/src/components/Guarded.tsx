import {
  Progress,
  useApi,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import { usePermission } from '@backstage/plugin-permission-react';
import { Alert } from '@backstage/ui';
import { deadLetterReadPermission } from '@dead-letter/backstage-plugin-dead-letter-common';
import { PropsWithChildren, ReactElement } from 'react';
import { deadLetterApiRef } from '../api/DeadLetterApi';
import { deadLetterTranslationRef } from '../translation';
import { Answers } from './Answers';
import styles from './readable.module.css';

/** A view, once there is an environment to ask, and whoever looks may see what this entity has. */
export function Guarded({
  resourceRef,
  children,
}: PropsWithChildren<{ resourceRef?: string }>) {
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
        {resourceRef ? (
          <Allowed resourceRef={resourceRef}>{children}</Allowed>
        ) : (
          children
        )}
      </div>
    </Answers>
  );
}

interface AllowedProps {
  resourceRef: string;
  /** Where it is said that one may not. */
  denied?: (said: ReactElement) => ReactElement;
}

/** Shows what an entity has to those who may see it. */
export function Allowed({
  resourceRef,
  denied = said => said,
  children,
}: PropsWithChildren<AllowedProps>) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { loading, allowed } = usePermission({
    permission: deadLetterReadPermission,
    resourceRef,
  });
  if (loading) return <Progress />;
  if (allowed) return <>{children}</>;
  return denied(
    <Alert
      status="warning"
      icon
      title={t('common.denied')}
      description={t('common.deniedDetail')}
    />,
  );
}
