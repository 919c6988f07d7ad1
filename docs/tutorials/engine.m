function [Y,Xf,Af] = engine(X,~,~)
%ENGINE neural network simulation function.
%
% In the form in which genFunction writes it: a fit of torque and NOx to fuel and speed.
%
% [Y] = engine(X,~,~) takes these arguments:
%   X = 1xTS cell, 1 inputs over TS timesteps
%   Each X{1,ts} = 2xQ matrix, input #1 at timestep ts.
% and returns:
%   Y = 1xTS cell of 1 outputs over TS timesteps.
%   Each Y{1,ts} = 2xQ matrix, output #1 at timestep ts.

% ===== NEURAL NETWORK CONSTANTS =====

% Input 1
x1_step1.xoffset = [20;500];
x1_step1.gain = [0.0076923076923076927347;0.0016000000000000000767];
x1_step1.ymin = -1;

% Layer 1
b1 = [0.7853900273557887779;1.0436941170548892366;0.45305686476054091161;0.41298181278192569454;0.48097138862058469444;1.0110860609745428995;0.60156502288990221228;-1.7381067883482137493];
IW1_1 = [-0.43456649661314222799 -0.51900486853606764281;1.2473850523065919127 -0.22228026851947979559;0.65928540275080227406 0.29333905259610115746;0.28809618368981337877 -0.55330638630441952852;-0.36451541159066425113 -0.49735843028306048197;1.0859327576223281042 -0.15599532442215746642;0.64151296823175463224 0.40885378053702603474;0.20125928334720585844 -0.4197516466523005807];

% Layer 2
b2 = [-3.0819052417415395695;-4.5429753203701839226];
LW2_1 = [1.077952522514483924 -1.1384865452648491591 -1.6002296278970262744 0.62367556449153083165 -1.2877131599940561113 2.7590036196185345752 1.847558048385213425 -1.8129020705014533554;2.1796954352647359698 -0.7229431468375222547 -3.6583159981728754495 1.3677703247271459919 -2.4537560286762651884 2.2027175710964650435 3.797948233687086006 -2.8128984186921526245];

% Output 1
y1_step1.ymin = -1;
y1_step1.gain = [0.0014094432699083862467;0.0015898251192368840438];
y1_step1.xoffset = [80;188];

% ===== SIMULATION ========

isCellX = iscell(X);
if ~isCellX
  X = {X};
end
TS = size(X,2); % timesteps
if ~isempty(X)
  Q = size(X{1},2); % samples/series
else
  Q = 0;
end
Y = cell(1,TS);
for ts=1:TS
  Xp1 = mapminmax_apply(X{1,ts},x1_step1);
  a1 = tansig_apply(repmat(b1,1,Q) + IW1_1*Xp1);
  a2 = repmat(b2,1,Q) + LW2_1*a1;
  Y{1,ts} = mapminmax_reverse(a2,y1_step1);
end
Xf = cell(1,0);
Af = cell(2,0);
if ~isCellX
  Y = cell2mat(Y);
end
end

% ===== MODULE FUNCTIONS ========

function y = mapminmax_apply(x,settings)
  y = bsxfun(@minus,x,settings.xoffset);
  y = bsxfun(@times,y,settings.gain);
  y = bsxfun(@plus,y,settings.ymin);
end

function a = tansig_apply(n,~)
  a = 2 ./ (1 + exp(-2*n)) - 1;
end

function x = mapminmax_reverse(y,settings)
  x = bsxfun(@minus,y,settings.ymin);
  x = bsxfun(@rdivide,x,settings.gain);
  x = bsxfun(@plus,x,settings.xoffset);
end
