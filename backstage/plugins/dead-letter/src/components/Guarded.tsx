import {
  Progress,
  useApi,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import { usePermission } from '@backstage/plugin-permission-react';
import { Alert, Button } from '@backstage/ui';
import { deadLetterReadPermission } from '@dead-letter/backstage-plugin-dead-letter-common';
import { PropsWithChildren, ReactElement } from 'react';
import { deadLetterApiRef } from '../api/DeadLetterApi';
import {
  useChooseEnvironment,
  useWrongEnvironment,
} from '../hooks/useEnvironment';
import { deadLetterTranslationRef } from '../translation';
import { Answers } from './Answers';
import { Row } from './Row';
import styles from './readable.module.css';

/** A view, once there is an environment to ask, and whoever looks may see what this entity has. */
export function Guarded({
  resourceRef,
  children,
}: PropsWithChildren<{ resourceRef?: string }>) {
  const { environments } = useApi(deadLetterApiRef);
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const wrong = useWrongEnvironment();
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
  if (wrong !== undefined) return <WrongEnvironment name={wrong} />;
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

/** An act in the wrong environment is the worst one: nothing is shown instead of another one. */
function WrongEnvironment({ name }: { name: string }) {
  const { environments } = useApi(deadLetterApiRef);
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const choose = useChooseEnvironment();
  return (
    <Alert
      role="alert"
      status="danger"
      icon
      title={t('common.wrongEnvironment', { name })}
      description={t('common.wrongEnvironmentDetail')}
      customActions={
        <Row>
          {environments.map(each => (
            <Button
              key={each.name}
              size="small"
              variant="secondary"
              onPress={() => choose(each.name)}
            >
              {t('common.goTo', { name: each.title })}
            </Button>
          ))}
        </Row>
      }
    />
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
