import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Alert } from '@backstage/ui';
import { DeadLetteredMessageDetails } from '@dead-letter/backstage-plugin-dead-letter-common';
import { useMay } from '../../../hooks/useMay';
import { deadLetterTranslationRef } from '../../../translation';
import { Body } from './Body';
import { Failure } from './Failure';
import { Headers } from './Headers';
import { History } from './History';
import { Properties } from './Properties';
import { Summary } from './Summary';
import styles from './drawer.module.css';

interface MessageDetailsProps {
  message: DeadLetteredMessageDetails;
  /** The entity whose permissions count. */
  resourceRef: string;
  onOpen: (id: string) => void;
}

/** Why it died comes first: that is what it was opened for. */
export function MessageDetails(props: MessageDetailsProps) {
  const { message, resourceRef, onOpen } = props;
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const payload = useMay('read-payload', {
    services: [message.service],
    resourceRef,
  });
  const isHidden = !payload.loading && !payload.allowed;
  return (
    <div className={styles.sections}>
      {message.warning && !isHidden && (
        <Alert
          status="warning"
          icon
          title={t('message.warning')}
          description={message.warning}
        />
      )}
      <Failure message={message} />
      <Summary message={message} />
      {isHidden && (
        <Alert
          status="info"
          icon
          title={t('message.payloadDenied')}
          description={t('message.payloadDeniedDetail', {
            permission: payload.permission,
          })}
        />
      )}
      {payload.allowed && <Body message={message} />}
      <History message={message} onOpen={onOpen} />
      {payload.allowed && (
        <>
          <Headers headers={message.typedHeaders} plain={message.headers} />
          <Properties properties={message.properties} />
        </>
      )}
    </div>
  );
}
