import {
  Progress,
  useApi,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import { Alert, Button } from '@backstage/ui';
import { PropsWithChildren, ReactElement } from 'react';
import { deadLetterApiRef } from '../api/DeadLetterApi';
import {
  useChooseEnvironment,
  useWrongEnvironment,
} from '../hooks/useEnvironment';
import { useMay } from '../hooks/useMay';
import { deadLetterTranslationRef } from '../translation';
import { Answers } from './Answers';
import { Row } from './Row';
import styles from './readable.module.css';

interface GuardedProps {
  /** The entity whose permissions count; none where a view is about all that somebody may see. */
  resourceRef?: string;
  /** The service that is shown, if it is one. */
  service?: string;
}

/** A view, once there is an environment to ask, and whoever looks may see something of what it shows. */
export function Guarded({
  children,
  ...shown
}: PropsWithChildren<GuardedProps>) {
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
        <Allowed {...shown}>{children}</Allowed>
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

interface AllowedProps extends GuardedProps {
  /** Where it is said that one may not. */
  denied?: (said: ReactElement) => ReactElement;
}

/** Shows dead letters to those who may see them. */
export function Allowed({
  resourceRef,
  service,
  denied = said => said,
  children,
}: PropsWithChildren<AllowedProps>) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { loading, allowed, permission } = useMay('read', { resourceRef });
  const ofService = useMay('read', { services: service ? [service] : null });
  if (loading || ofService.loading) return <Progress />;
  // What is shown says that nothing answers.
  if (ofService.unknown) return <>{children}</>;
  if (!allowed) {
    const where = resourceRef ? 'deniedDetail' : 'deniedEverywhereDetail';
    return denied(
      <Alert
        status="warning"
        icon
        title={t('common.denied')}
        description={t(`common.${where}`, { permission })}
      />,
    );
  }
  return (
    <>
      {/* dead-letter does not tell a service without dead letters from one that is not to be seen. */}
      {service && !ofService.allowed && (
        <Alert
          status="info"
          icon
          mb="4"
          title={t('common.invisible')}
          description={t('common.invisibleDetail', { service, permission })}
        />
      )}
      {children}
    </>
  );
}
