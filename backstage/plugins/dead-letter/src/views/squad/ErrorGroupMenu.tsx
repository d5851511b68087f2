import { stringifyEntityRef } from '@backstage/catalog-model';
import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { useEntity } from '@backstage/plugin-catalog-react';
import { usePermission } from '@backstage/plugin-permission-react';
import {
  ButtonIcon,
  Menu,
  MenuItem,
  MenuSeparator,
  MenuTrigger,
} from '@backstage/ui';
import {
  CountedGroup,
  deadLetterRedeliverPermission,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { RiMore2Line } from '@remixicon/react';
import { useState } from 'react';
import { deadLetterTranslationRef } from '../../translation';
import { NoteDialog } from './NoteDialog';
import { MUTES, useErrorGroupChange } from './useErrorGroupChange';

interface ErrorGroupMenuProps {
  group: CountedGroup;
  component: string | null | undefined;
}

/** What can be done with an error group; nothing for those who may not. */
export function ErrorGroupMenu({ group, component }: ErrorGroupMenuProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { entity } = useEntity();
  const { allowed } = usePermission({
    permission: deadLetterRedeliverPermission,
    resourceRef: component ?? stringifyEntityRef(entity),
  });
  const [writing, setWriting] = useState(false);
  const { change, attempt } = useErrorGroupChange(group.id);
  if (!allowed) return null;
  const title = group.title ?? group.errorType ?? t('squad.groups.untitled');
  const quiet = group.state === 'resolved' || group.state === 'muted';
  return (
    <>
      <MenuTrigger>
        <ButtonIcon
          size="small"
          variant="tertiary"
          aria-label={t('squad.change.menu', { title })}
          icon={<RiMore2Line />}
        />
        <Menu placement="bottom end">
          {group.state !== 'resolved' && (
            <MenuItem onAction={() => attempt({ action: 'resolve' })}>
              {t('squad.change.resolve')}
            </MenuItem>
          )}
          {quiet && (
            <MenuItem onAction={() => attempt({ action: 'reopen' })}>
              {t('squad.change.reopen')}
            </MenuItem>
          )}
          {MUTES.map(({ text, ms }) => (
            <MenuItem
              key={text}
              onAction={() =>
                attempt({
                  action: 'mute',
                  mutedUntil: new Date(Date.now() + ms).toISOString(),
                })
              }
            >
              {t(`squad.change.${text}`)}
            </MenuItem>
          ))}
          <MenuSeparator />
          <MenuItem onAction={() => setWriting(true)}>
            {t('squad.change.note')}
          </MenuItem>
        </Menu>
      </MenuTrigger>
      {writing && (
        <NoteDialog
          about={title}
          save={note => change({ action: 'note', note })}
          close={() => setWriting(false)}
        />
      )}
    </>
  );
}
