import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Alert } from '@backstage/ui';
import { DeadLetteredMessageDetails } from '@dead-letter/backstage-plugin-dead-letter-common';
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
  onOpen: (id: string) => void;
}

/** Why it died comes first: that is what it was opened for. */
export function MessageDetails({ message, onOpen }: MessageDetailsProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <div className={styles.sections}>
      {message.warning && (
        <Alert
          status="warning"
          icon
          title={t('message.warning')}
          description={message.warning}
        />
      )}
      <Failure message={message} />
      <Summary message={message} />
      <Body message={message} />
      <History message={message} onOpen={onOpen} />
      <Headers headers={message.typedHeaders} plain={message.headers} />
      <Properties properties={message.properties} />
    </div>
  );
}
